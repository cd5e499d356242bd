"""Rows → wire: a transcript in each of the formats that can be asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from whisper_jobs import results, segment_rows, versions
from whisper_jobs.dialects.openai import models_list
from whisper_jobs.dialects.openai.requests import Asked
from whisper_jobs.models import Job
from whisper_jobs.models import Segment as Row
from whisper_jobs.speech.formats import FORMATS, FormatOptions
from whisper_jobs.speech.formats.objects import verbose_json
from whisper_jobs.speech.running_text import RunningText
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.streaming import in_pieces

Json = dict[str, Any]
TEXT = "text/plain; charset=utf-8"
#: As a log of a probability of nothing.
_LEAST = 1e-30


def transcript(job: Job, asked: Asked) -> HttpResponseBase:
    """The answer to a job that has ended. One without speech has the same shape with nothing in it."""
    if asked.response_format == "text":
        return HttpResponse(f"{_text(segments_of(job))}\n", content_type=TEXT)
    if asked.response_format in ("srt", "vtt"):
        return _captions(job, asked.response_format)
    if asked.response_format == "verbose_json":
        return _verbose(job, asked)
    return JsonResponse(_diarized(job) if asked.is_diarized else _plain(job, asked))


def segments_of(job: Job) -> Iterator[Segment]:
    """In order, each with the label of its speaker."""
    rows = Row.objects.filter(job=job).order_by("start", "id")
    return map(segment_rows.spoken, rows.iterator(chunk_size=results.CHUNK))


def _text(segments: Iterable[Segment]) -> str:
    text = RunningText()
    for one in segments:
        text.add(one.text)
    return text.text


def _captions(job: Job, name: str) -> HttpResponseBase:
    form = FORMATS[name]
    pieces = form.render(results.transcript_of(job), FormatOptions(speakers=False))
    return StreamingHttpResponse(in_pieces(pieces), content_type=form.content_type if name == "vtt" else TEXT)


def _verbose(job: Job, asked: Asked) -> HttpResponseBase:
    more = {"usage": usage(job)}
    pieces = verbose_json(results.transcript_of(job), segments=asked.segments, words=asked.words, more=more)
    return StreamingHttpResponse(in_pieces(pieces), content_type="application/json")


def _plain(job: Job, asked: Asked) -> Json:
    text, logprobs = RunningText(), Logprobs()
    for one in segments_of(job):
        text.add(one.text)
        if asked.logprobs:
            logprobs.add(one)
    return {"text": text.text, **extras(job, asked, logprobs.told)}


def extras(job: Job, asked: Asked, logprobs: list[Json]) -> Json:
    """What `json` and the end of a stream tell beside the text."""
    told: Json = {"logprobs": logprobs} if asked.logprobs else {}
    if asked.model == models_list.TELLS_LANGUAGES:
        code = job.detected_language or job.language
        told["languages"] = [{"code": code}] if code else []
    return {**told, "usage": usage(job)}


def usage(job: Job) -> Json:
    return {"type": "duration", "seconds": math.ceil(job.source_duration_seconds or 0.0)}


class Logprobs:
    """Words in place of tokens: what an engine of this server knows of its certainty it knows by word."""

    def __init__(self) -> None:
        self.told: list[Json] = []
        self._text = RunningText()

    def add(self, segment: Segment) -> list[Json]:
        tokens = ((self._text.add(word.text), word.probability) for word in segment.words)
        new = [
            {"token": token, "bytes": list(token.encode()), "logprob": logarithm(probability)}
            for token, probability in tokens
        ]
        self.told += new
        return new


def logarithm(probability: float | None) -> float | None:
    return None if probability is None else round(math.log(min(1.0, max(probability, _LEAST))), 4)


# --- speakers -------------------------------------------------------------------------------------


def _diarized(job: Job) -> Json:
    segments = list(diarized_segments(job))
    return {
        "task": "transcribe",
        "duration": round(job.source_duration_seconds or 0.0, 3),
        "text": _text(segments_of(job)),
        "segments": segments,
        "usage": usage(job),
    }


def diarized_segments(job: Job) -> Iterator[Json]:
    speakers = Speakers(versions.speakers_of(job.pk))
    for number, one in enumerate(segments_of(job)):
        yield {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": round(one.start, 3),
            "end": round(one.end, 3),
            "text": one.text,
            "speaker": speakers.called(one.speaker),
        }


class Speakers:
    """What to call them: by the name that is known, else by capital letters in the order in which they are heard."""

    def __init__(self, known: versions.Speakers) -> None:
        self._called = {one["label"]: one["name"] for one in known if one["name"]}
        self._letters = 0
        self._last = ""

    def called(self, label: str | None) -> str:
        """A segment of which nobody knows who says it goes on with the speaker before it."""
        if label is None and self._last:
            return self._last
        self._last = self._called.setdefault(label or "", "") or self._next_letter(label or "")
        return self._last

    def _next_letter(self, label: str) -> str:
        self._called[label] = letters(self._letters)
        self._letters += 1
        return str(self._called[label])


def letters(number: int) -> str:
    """A, B … Z, AA, AB …"""
    rest, last = divmod(number, 26)
    return (letters(rest - 1) if rest else "") + chr(ord("A") + last)
