"""Search with the places found, the caller's tags, and the trash."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import library, queries, tagging, trash
from whisper_jobs.dialects.native import responses
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.dialects.native.views import OneJobView
from whisper_jobs.library import MOST_PAGES, Found, Wanted
from whisper_jobs.models import Tag
from whisper_jobs.places import Place

Json = dict[str, Any]


class SearchSerializer(serializers.Serializer[Any]):
    """Parameters of GET …/search: words, "phrases" and -words."""

    q = serializers.CharField(max_length=200)
    cursor = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MOST_PAGES)


class TagSerializer(serializers.Serializer[Any]):
    """Fields of a tag."""

    name = serializers.CharField(max_length=tagging.LONGEST_NAME)
    colour = serializers.IntegerField(
        required=False, min_value=0, max_value=tagging.COLOURS - 1, help_text="A place in the palette of the pages."
    )


class JobTagsSerializer(serializers.Serializer[Any]):
    """Field of PUT …/tags: the names of all that the job is to have; tags that are missing are made."""

    tags = serializers.ListField(
        child=serializers.CharField(max_length=tagging.LONGEST_NAME), allow_empty=True, max_length=tagging.MOST_TAGS
    )


class SearchView(WhisperView):
    def get(self, request: Request) -> Response:
        form = SearchSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        page = form.validated_data["cursor"]
        found = library.find(self.user, Wanted(text=form.validated_data["q"], page=page), self.channel)
        return Response({"ok": True, "results": _results(found), "next": page + 1 if found.has_more else None})


def _results(found: Found) -> list[Json]:
    told = responses.jobs(found.jobs, None)["jobs"]
    return [
        {
            "job": summary,
            "tags": [_tag(tag) for tag in found.tags.get(job.pk, [])],
            "places": [_place(place) for place in found.places.get(job.pk, [])],
        }
        for job, summary in zip(found.jobs, told, strict=True)
    ]


def _place(place: Place) -> Json:
    text, marks = "", []
    for part in place.parts:
        if part.is_marked:
            marks.append([len(text), len(text) + len(part.text)])
        text += part.text
    return {"start": place.start, "text": text, "marks": marks}


def _tag(tag: Tag) -> Json:
    return {"id": tag.pk, "name": tag.name, "colour": tag.colour}


class TagsView(WhisperView):
    """The caller's own."""

    def get(self, request: Request) -> Response:
        tags = Tag.objects.filter(owner=self.user).order_by("name")
        return Response({"ok": True, "tags": [_tag(tag) for tag in tags]})

    def post(self, request: Request) -> Response:
        form = TagSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            tag = tagging.make(self.user, **form.validated_data)
        except tagging.Refused as refused:
            raise _refusal(refused, "name") from refused
        return Response({"ok": True, "tag": _tag(tag)}, status=201)


class TagView(WhisperView):
    def patch(self, request: Request, tag_id: int) -> Response:
        tag, form = self.tag(tag_id), TagSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        try:
            changed = tagging.change(tag, **form.validated_data)
        except tagging.Refused as refused:
            raise _refusal(refused, "name") from refused
        return Response({"ok": True, "tag": _tag(changed)})

    def delete(self, request: Request, tag_id: int) -> Response:
        tagging.remove(self.tag(tag_id))
        return Response({"ok": True, "message": _("The tag is deleted. Its recordings stay.")})

    def tag(self, tag_id: int) -> Tag:
        """To be changed. It may be on recordings that a token of the sandbox does not see."""
        if self.user.in_sandbox:
            raise PermissionDenied(_("A token of the sandbox changes no tags."))
        return get_object_or_404(Tag.objects.select_related("owner"), owner=self.user, pk=tag_id)


class JobTagsView(WhisperView):
    """Those of the caller's tags that the job has."""

    def get(self, request: Request, job_id: int) -> Response:
        return self.told(self.job(job_id).pk)

    def put(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), JobTagsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            tagging.replace(self.user, job.pk, tagging.called(self.user, form.validated_data["tags"]))
        except tagging.Refused as refused:
            raise _refusal(refused, "tags") from refused
        return self.told(job.pk)

    def told(self, job_id: int) -> Response:
        tags = library.tags_of(self.user, [job_id]).get(job_id, [])
        return Response({"ok": True, "tags": [_tag(tag) for tag in tags]})


def _refusal(refused: tagging.Refused, field: str) -> Unprocessable:
    return Unprocessable(str(refused), errors={field: [str(refused)]})


class TrashView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        return self.answer(trash.discard(self.job(job_id).pk), _("The recording is in the trash."))


class UntrashView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        job = get_object_or_404(queries.trashed_jobs(self.user, self.channel), pk=job_id)
        return self.answer(trash.restore(job.pk), _("The recording is back."))
