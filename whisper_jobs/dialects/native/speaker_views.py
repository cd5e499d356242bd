"""Enrolled speakers as the native API tells of them: in which of the caller's recordings one was heard."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from whisper_jobs import appearances, speakers
from whisper_jobs.appearances import Appearance
from whisper_jobs.dialects.native.access import WhisperView

Json = dict[str, Any]
MOST_LISTED = 200


class MayEnroll(BasePermission):
    """Who may enrol speakers may know where they were heard."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return cast(User, request.user).has_perm("whisper.scaiecho_enroll")


class RecognitionsSerializer(serializers.Serializer[Any]):
    """Parameters of GET …/recognitions."""

    cursor = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**62,
        help_text="`next` of the page before.",
    )
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=MOST_LISTED)


class RecognitionsView(WhisperView):
    permission_classes = (*WhisperView.permission_classes, MayEnroll)

    def get(self, request: Request, speaker_id: UUID) -> Response:
        form = RecognitionsSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        speaker = get_object_or_404(speakers.visible(self.user), pk=speaker_id)
        page = appearances.of_speaker(
            speaker.pk, self.user, channel=self.channel, before=asked["cursor"], limit=asked["limit"]
        )
        told = [_appearance(one) for one in page.appearances]
        return Response({"ok": True, "recognitions": told, "next": page.following})


def _appearance(one: Appearance) -> Json:
    return {
        "job_id": one.job.pk,
        "title": one.job.title,
        "created_at": one.job.created_at.isoformat(),
        "label": one.label,
        "seconds": one.seconds,
        "score": one.score,
        "recognised": one.recognised,
    }
