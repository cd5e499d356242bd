"""The places of a transcript that somebody should look at, and the caller's glossary."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import checking, exports, glossary
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.models import Transcript
from whisper_jobs.speech.spots import Piece, Spot
from whisper_jobs.states import READABLE

Json = dict[str, Any]


class SpotsSerializer(serializers.Serializer[Any]):
    """Parameters of GET …/spots: those from the second `after` on."""

    after = exports.NumberField(required=False, default=0.0, min_value=0.0)
    limit = serializers.IntegerField(required=False, default=500, min_value=1, max_value=1000)


class SpotsView(WhisperView):
    def get(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), SpotsSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        if job.stage not in READABLE:
            raise Unprocessable(_("The transcript can be checked when it is put together."), code="not_ready")
        version = Transcript.objects.values_list("version", flat=True).get(job=job)
        limit = form.validated_data["limit"]
        found = list(islice(checking.spots_of(job, self.user, after=form.validated_data["after"]), limit + 1))
        told = [_spot(spot) for spot in found[:limit]]
        return Response({"ok": True, "version": version, "spots": told, "more": len(found) > limit})


def _spot(spot: Spot) -> Json:
    heard = spot.heard
    return {
        "segment": {"id": heard.id, "revision": heard.revision} if heard else None,
        "start": spot.start,
        "end": spot.end,
        "reason": spot.reason,
        "speaker": heard.segment.speaker if heard else None,
        "text": heard.segment.text if heard else "",
        "pieces": [_piece(piece) for piece in spot.pieces],
    }


def _piece(piece: Piece) -> Json:
    if piece.reason is None:
        return {"text": piece.text, "reason": None, "start": None, "end": None, "term": None}
    marked = {"reason": piece.reason, "start": piece.start, "end": piece.end}
    return {"text": piece.text, **marked, "term": piece.term or None}


class TermsSerializer(serializers.Serializer[Any]):
    """Field of POST and DELETE …/glossary: names and terms, spelt as they should be."""

    terms = serializers.ListField(
        child=serializers.CharField(max_length=glossary.LONGEST_TERM), min_length=1, max_length=glossary.MOST_TERMS
    )


class GlossaryView(WhisperView):
    """The caller's own."""

    def get(self, request: Request) -> Response:
        return self.answer()

    def post(self, request: Request) -> Response:
        added = glossary.add(self.user, self.terms())
        if added.left_out:
            raise Unprocessable(_("Your glossary is full. Take some terms out first."), code="glossary_full")
        return self.answer()

    def delete(self, request: Request) -> Response:
        glossary.remove(self.user, self.terms())
        return self.answer()

    def terms(self) -> list[str]:
        form = TermsSerializer(data=self.request.data)
        form.is_valid(raise_exception=True)
        found: list[str] = form.validated_data["terms"]
        return found

    def answer(self) -> Response:
        return Response({"ok": True, "terms": glossary.texts_of(self.user)})
