"""Rows → wire: a transcript as whisper-asr-webservice writes it, and the language of a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from whisper_jobs import results
from whisper_jobs.dialects.asr.requests import Asked
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.models import Job
from whisper_jobs.speech import languages
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.speech.formats.objects import verbose_segment
from whisper_jobs.speech.running_text import RunningText
from whisper_jobs.speech.transcript import Segment

Json = dict[str, Any]
#: Of every output, JSON too.
CONTENT_TYPE = "text/plain; charset=utf-8"


def transcript(job: Job, asked: Asked) -> HttpResponse:
    """What was said; nothing where nobody spoke."""
    name = f"{quote(job.source_filename, safe='')}.{asked.output}"
    headers = {"Asr-Engine": job.engine or "none", "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(_written(job, asked), content_type=CONTENT_TYPE, headers=headers)


def _written(job: Job, asked: Asked) -> bytes:
    if asked.output == "txt":
        return "".join(_lines(job)).encode()
    if asked.output == "json":
        return json.dumps(_object(job, has_words=asked.has_words), ensure_ascii=False).encode()
    return b"".join(FORMATS[asked.output].render(results.transcript_of(job)))


def _lines(job: Job) -> Iterator[str]:
    """One for each segment."""
    for segment in results.segments_of(job):
        speaker = f"{segment.speaker}: " if segment.speaker else ""
        yield f"{speaker}{' '.join(segment.text.split())}\n"


def _object(job: Job, *, has_words: bool) -> Json:
    """As openai-whisper's result; the language is a code."""
    text, segments = RunningText(), []
    for number, one in enumerate(results.segments_of(job)):
        text.add(one.text)
        segments.append(_segment(number, one, has_words))
    return {"text": text.text, "segments": segments, "language": job.text_language or None}


def _segment(number: int, segment: Segment, has_words: bool) -> Json:
    told = verbose_segment(number, segment)
    if segment.speaker:
        told["speaker"] = segment.speaker
    if has_words:
        told["words"] = [
            {"word": one.text, "start": one.start, "end": one.end, "probability": one.probability}
            for one in segment.words
        ]
    return told


def language(job: Job) -> JsonResponse:
    """A confidence of 0: the model knows this language alone, and has not listened for others. Raises Refused."""
    code = job.detected_language
    if not code:
        raise Refused(Kind.FAILED, _("No language was found in the beginning of the recording."), code="no_speech")
    told = {
        "detected_language": languages.name_of(code).lower(),
        "language_code": code,
        "confidence": job.language_probability or 0.0,
    }
    return JsonResponse(told, headers={"Asr-Engine": job.engine or "none"})
