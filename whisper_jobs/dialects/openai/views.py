"""Transcriptions, translations and models: each view translates, calls one verb of the core, and answers."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import intake
from whisper_jobs.dialects import idempotency, inline
from whisper_jobs.dialects.calling import CallView, NothingHere
from whisper_jobs.dialects.idempotency import Made
from whisper_jobs.dialects.openai import errors, models_list, requests, responses, retries, streams
from whisper_jobs.dialects.openai.authentication import KeyAuthentication
from whisper_jobs.dialects.openai.requests import Asked
from whisper_jobs.dialects.refusals import Kind, Refused


class OpenAIView(CallView):
    authentication_classes: Any = (KeyAuthentication,)
    word = staticmethod(errors.word)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self._began = time.monotonic()
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        response["x-request-id"] = f"req_{uuid4().hex}"
        response["openai-processing-ms"] = _since(self._began)
        return super().finalize_response(request, response, *args, **kwargs)


class TranscriptionsView(OpenAIView):
    """Takes a recording in. What it answers with is for who does not wait any longer, or a stream."""

    parser_classes: Any = (MultiPartParser,)

    def asked(self, request: Request) -> Asked:
        return requests.transcription(request, self.user, self.token)

    def post(self, request: Request) -> HttpResponseBase:
        asked = self.asked(request)
        made = _made(asked)
        if asked.stream:
            return streams.answer(request._request, made.job, asked, made.headers)
        request._request.asked = asked  # type: ignore[attr-defined]
        status, body = errors.goes_on(made.job.pk)
        return inline.wait_for(Response(body, status, headers=made.headers), made.job)


class TranslationsView(TranscriptionsView):
    def asked(self, request: Request) -> Asked:
        return requests.translation(request, self.user, self.token)


def _made(asked: Asked) -> Made:
    again = retries.earlier(asked.submission) if asked.is_retry else None
    if again:
        return Made(again, {idempotency.REPLAYED: "true"})
    return idempotency.once(lambda: intake.submit(asked.submission), asked.submission.owner)


@csrf_exempt
async def transcriptions(request: HttpRequest) -> HttpResponseBase:
    return await _answered(request, TranscriptionsView.as_view())


@csrf_exempt
async def translations(request: HttpRequest) -> HttpResponseBase:
    return await _answered(request, TranslationsView.as_view())


async def _answered(request: HttpRequest, accept: inline.Accept) -> HttpResponseBase:
    began, seconds = time.monotonic(), settings.TOOLS.call_wait_minutes * 60
    response = await inline.answered(
        request,
        accept,
        lambda job: responses.transcript(job, request.asked),  # type: ignore[attr-defined]
        errors.word,
        seconds=seconds,
        though=inline.WITHOUT_WORDS,
    )
    if hasattr(request, "asked") and response.status_code >= 400:
        # The job has been tried as often as it makes sense; the clients would hand in the same again by themselves.
        response["x-should-retry"] = "false"
    response["openai-processing-ms"] = _since(began)
    return response


def _since(began: float) -> str:
    return str(round((time.monotonic() - began) * 1000))


class ModelsView(OpenAIView):
    def get(self, request: Request) -> Response:
        return Response({"object": "list", "data": models_list.listed()})


class ModelView(OpenAIView):
    def get(self, request: Request, name: str) -> Response:
        models_list.meant(name)
        return Response(models_list.described(name))


class NothingView(NothingHere, OpenAIView):
    """Any other path of OpenAI's API, and beyond."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        told = _("There is nothing at this address here: %(method)s %(path)s.")
        raise Refused(Kind.NOT_FOUND, told % {"method": request.method, "path": request.path[:200]}, code="unknown_url")
