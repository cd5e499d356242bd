"""/asr and /detect-language: a recording in, its transcript or its language out, in the same request."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import intake, lifecycle
from whisper_jobs.dialects import idempotency, inline
from whisper_jobs.dialects.asr import errors, requests, responses
from whisper_jobs.dialects.asr.authentication import AnyKeyAuthentication
from whisper_jobs.dialects.calling import CallView
from whisper_jobs.pen import Gone
from whisper_jobs.pooled import pooled
from whisper_jobs.runs import NotAllowed


class AsrView(CallView):
    authentication_classes: Any = (AnyKeyAuthentication,)
    parser_classes: Any = (MultiPartParser, FormParser)
    word = staticmethod(errors.word)


class TranscribeView(AsrView):
    """Takes a recording in. What it answers with is for who does not wait any longer."""

    def post(self, request: Request) -> Response:
        asked = requests.transcription(request, self.user, self.token)
        made = idempotency.once(lambda: intake.submit(asked.submission), self.user)
        request._request.asked = asked  # type: ignore[attr-defined]
        status, body = errors.goes_on(made.job.pk)
        return inline.wait_for(Response(body, status, headers=made.headers), made.job)


class DetectView(AsrView):
    """Takes the beginning of a recording in."""

    def post(self, request: Request) -> Response:
        job = intake.submit(requests.detection(request, self.user, self.token))
        request._request.made = job.pk  # type: ignore[attr-defined]
        status, body = errors.took_too_long()
        return inline.wait_for(Response(body, status), job)


@csrf_exempt
async def asr(request: HttpRequest) -> HttpResponseBase:
    return await inline.answered(
        request,
        TranscribeView.as_view(),
        lambda job: responses.transcript(job, request.asked),  # type: ignore[attr-defined]
        errors.word,
        seconds=settings.TOOLS.call_wait_minutes * 60,
        though=inline.WITHOUT_WORDS,
    )


@csrf_exempt
async def detect_language(request: HttpRequest) -> HttpResponseBase:
    """The job that finds the language is of no use afterwards, however it ends."""
    try:
        return await inline.answered(
            request,
            DetectView.as_view(),
            responses.language,
            errors.word,
            seconds=settings.TOOLS.call_wait_minutes * 60,
        )
    finally:
        made = getattr(request, "made", None)
        if made is not None:
            await pooled(partial(_forget, made))


def _forget(job_id: int) -> None:
    """Deletes the job. One that is still at work is cancelled, and its owner finds it so."""
    try:
        lifecycle.delete(job_id)
    except NotAllowed:
        lifecycle.request_cancel(job_id)
    except Gone:
        pass
