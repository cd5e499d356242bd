"""GET …/exports.zip: a transcript in several formats and languages at once."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from whisper_jobs import archives, queries
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.states import READABLE


class ArchiveSerializer(serializers.Serializer[Any]):
    """Lists with commas."""

    formats = serializers.CharField(
        required=False, default="txt,docx,srt", max_length=200, help_text="Names of formats, as in …/exports/{name}."
    )
    languages = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=1000,
        help_text="Codes of translations; an empty one, as in `,sv`, is what was said.",
    )


class ArchiveView(WhisperView):
    def get(self, request: Request, job_id: int) -> StreamingHttpResponse:
        job, form = self.job(job_id), ArchiveSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        if job.stage not in READABLE:
            raise Unprocessable(_("The transcript can be downloaded when the job is completed."), code="not_ready")
        told = form.validated_data
        try:
            asked = archives.order([str(job.pk)], [told["formats"]], [told["languages"]])
        except archives.Refused as refused:
            raise Unprocessable(str(refused), code="invalid") from refused
        return archives.answer(asked, queries.visible_jobs(self.user, self.channel), name=f"transcript-{job.pk}")
