"""Wire → Submission and how it is to be answered, with a sentence for everything that can't be accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import PersonalToken, User
from whisper_jobs import uploads
from whisper_jobs.dialects import idempotency, sandboxing
from whisper_jobs.dialects.calling import note_idle
from whisper_jobs.dialects.openai import models_list, speaker_samples
from whisper_jobs.dialects.openai.fields import TranscriptionSerializer, TranslationSerializer
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel, Task

#: The models hear about so much of what came before; OpenAI's, too, look at the end of a longer one only.
PROMPT_CHARACTERS = 1000
#: `name`, `name[]`, `name[0]` and `name[key]`, as forms write lists and objects.
_WRITTEN = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<key>[^\[\]]*)\])?")
#: The official clients count their own second and third tries here.
RETRY_HEADER = "x-stainless-retry-count"


@dataclass(frozen=True, slots=True)
class Asked:
    """A recording to be transcribed or translated, and the answer that is wanted."""

    submission: Submission
    model: str
    response_format: str
    stream: bool = False
    words: bool = False
    segments: bool = True
    logprobs: bool = False
    #: Whether a client by itself sends again what it got no answer to.
    is_retry: bool = False

    @property
    def is_diarized(self) -> bool:
        return self.response_format == "diarized_json"


def transcription(request: Request, owner: User, token: PersonalToken) -> Asked:
    """Raises Refused, ValidationError, idempotency.Refused, policy.NoUsableBackend."""
    told = _validated(request, TranscriptionSerializer)
    names, urls = told["known_speaker_names"], told["known_speaker_references"]
    submission = _submission(
        request,
        told,
        owner,
        token,
        disable_diarization=told["response_format"] != "diarized_json" and told["model"] != models_list.DIARIZES,
        language=told["language"] or (told["languages"][0] if len(told["languages"]) == 1 else ""),
        hotwords=tuple(told["keywords"]),
        known_speakers=speaker_samples.known(names, urls, listen=not token.is_sandbox),
    )
    wanted = told["timestamp_granularities"] or ["segment"]
    return Asked(
        submission,
        told["model"],
        told["response_format"],
        stream=bool(told["stream"]),
        words="word" in wanted,
        segments="segment" in wanted,
        logprobs="logprobs" in told["include"],
        is_retry=_is_retry(request),
    )


def translation(request: Request, owner: User, token: PersonalToken) -> Asked:
    """Raises the same."""
    told = _validated(request, TranslationSerializer)
    submission = _submission(
        request, told, owner, token, task=Task.TRANSLATE, disable_diarization=True, language=told["language"]
    )
    return Asked(submission, told["model"], told["response_format"], is_retry=_is_retry(request))


def _submission(request: Request, told: dict[str, Any], owner: User, token: PersonalToken, **more: Any) -> Submission:
    script = sandboxing.script_or_work(request, token, owner)
    return Submission(
        owner=owner,
        channel=Channel.API,
        media_file=told["file"],
        model=models_list.meant(told["model"]),
        initial_prompt=told["prompt"][-PROMPT_CHARACTERS:],
        temperature=told["temperature"],
        script=script,
        idempotency=idempotency.asked(request, told),
        **more,
    )


def _validated(request: Request, kind: type[TranslationSerializer]) -> dict[str, Any]:
    # Read first: the reason why a file was not kept is left on the request by whoever reads it.
    told = _fields(request, kind)
    if refusal := uploads.upload_refusal(request._request):
        raise Refused(Kind.TOO_LARGE, refusal, field="file")
    form = kind(data=told)
    form.is_valid(raise_exception=True)
    # How sound is cut can't be chosen.
    note_idle(
        request, ["chunking_strategy"] if form.validated_data.get("chunking_strategy") not in (None, "auto") else []
    )
    return dict(form.validated_data)


def _fields(request: Request, kind: type[TranslationSerializer]) -> dict[str, Any]:
    """The form as plain values, lists and objects. Raises Refused for what this API doesn't know, or knows once only."""
    told: dict[str, Any] = {}
    # Without a body there is no form, and everything is missing.
    form = request.data if isinstance(request.data, QueryDict) else QueryDict()
    for written, values in form.lists():
        found = _WRITTEN.fullmatch(written)
        name, key = (found["name"], found["key"]) if found else (written, None)
        if name in kind.LISTS and (not key or key.isdigit()):
            told.setdefault(name, []).extend(values)
        elif name in kind.OBJECTS and key:
            told[name] = {**_object(told.get(name)), key: values[-1]}
        elif name in kind().fields and key is None:
            told[name] = _one(name, values)
        else:
            message = _("Unknown parameter: “%(name)s”.") % {"name": written[:100]}
            raise Refused(Kind.INVALID, message, code="unknown_parameter", field=written[:100])
    return told


def _object(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _one(name: str, values: list[Any]) -> Any:
    if len(values) != 1:
        raise Refused(Kind.INVALID, _("Send this once."), field=name)
    return values[0]


def _is_retry(request: Request) -> bool:
    count = request.headers.get(RETRY_HEADER, "0")
    return count.isascii() and count.isdigit() and int(count[:9]) > 0
