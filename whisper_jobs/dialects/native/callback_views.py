"""A job's callback: sending it once more, and the log of what was tried."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import callbacks
from whisper_jobs.dialects.native import responses
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.views import OneJobView


class ReplayView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        job = callbacks.replay(self.job(job_id).pk)
        return self.answer(job, _("The callback is sent again."), status=202)


class AttemptsView(WhisperView):
    """What was tried so far, the newest first."""

    def get(self, request: Request, job_id: int) -> Response:
        return Response(responses.callback(callbacks.newest(self.job(job_id))))
