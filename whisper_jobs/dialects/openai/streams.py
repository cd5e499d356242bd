"""A transcript as server-sent events while its windows finish: deltas in the order of the recording, at the end the whole text."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse

from whisper_jobs import awaiting, segment_rows
from whisper_jobs.dialects import inline, refusals
from whisper_jobs.dialects.openai import errors, responses
from whisper_jobs.dialects.openai.requests import Asked
from whisper_jobs.errors import FAILURES
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pen import Gone
from whisper_jobs.pooled import leave_thread, pooled
from whisper_jobs.speech.running_text import RunningText
from whisper_jobs.states import Kind, Stage, StepState

log = logging.getLogger(__name__)
#: A comment, for proxies that cut a connection on which nothing is said.
ALIVE = ": still working\n\n"
#: Proxies that gather answers are asked not to.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
CHUNK = 500


def answer(request: HttpRequest, job: Job, asked: Asked, headers: dict[str, str]) -> StreamingHttpResponse:
    """Whoever goes away changes nothing for the job."""
    return StreamingHttpResponse(
        _events(request, job.pk, asked), content_type="text/event-stream", headers={**HEADERS, **headers}
    )


async def _events(request: HttpRequest, job_id: int, asked: Asked) -> AsyncIterator[str]:
    following = Following(job_id, asked)

    def told() -> str:
        inline.demand_good(request)
        return following.told()

    seconds = settings.TOOLS.call_wait_minutes * 60
    await leave_thread()
    try:
        async with aclosing(awaiting.news(job_id, seconds)) as news:
            async for _sign in news:
                yield await pooled(told) or ALIVE
                if following.is_over:
                    return
        yield event(errors.goes_on(job_id)[1])
    except Exception as error:
        yield event(errors.word(refusals.of(error))[1])


def event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


class Following:
    """What of a job has been told, and what is to be told next. Reads rows; one at a time may ask."""

    def __init__(self, job_id: int, asked: Asked) -> None:
        self.is_over = False
        self._job_id, self._asked = job_id, asked
        self._text, self._logprobs = RunningText(), responses.Logprobs()
        #: Windows of which all has been told.
        self._windows = 0

    def told(self) -> str:
        """Events since the last time, perhaps none."""
        return "".join(map(event, self._next()))

    def _next(self) -> Iterator[dict[str, Any]]:
        # The job first: what has ended by now has all its segments when they are read.
        job = Job.objects.filter(pk=self._job_id, trashed_at=None).first()
        if job is None:
            raise Gone(self._job_id)
        self.is_over = job.is_terminal
        yield from self._deltas(job, None if job.stage == Stage.COMPLETED else _whole_windows(job))
        if job.stage == Stage.FAILED and job.failure_code not in inline.WITHOUT_WORDS:
            code = job.failure_code if job.failure_code in FAILURES else "internal_error"
            yield errors.word(refusals.of_failure(code, job.failure_error))[1]
        elif self.is_over:
            yield from self._end(job)

    def _deltas(self, job: Job, until: int | None) -> Iterator[dict[str, Any]]:
        """Of the windows not told yet, up to one that is still at work. At the end that is all there is."""
        rows = Segment.objects.filter(job=job, step__index__gte=self._windows).order_by("start", "id")
        if until is not None:
            rows, self._windows = rows.filter(step__index__lt=until), max(until, self._windows)
        for row in rows.iterator(chunk_size=CHUNK):
            spoken = segment_rows.spoken(row)
            if delta := self._text.add(spoken.text):
                logprobs = {"logprobs": self._logprobs.add(spoken)} if self._asked.logprobs else {}
                yield {"type": "transcript.text.delta", "delta": delta, **logprobs}

    def _end(self, job: Job) -> Iterator[dict[str, Any]]:
        if self._asked.is_diarized:
            yield from responses.diarized_segments(job)
        extras = responses.extras(job, self._asked, self._logprobs.told)
        yield {"type": "transcript.text.done", "text": self._text.text, **extras}


def _whole_windows(job: Job) -> int:
    """How many windows from the beginning on are done, each with all its segments."""
    windows = Step.objects.filter(job=job, kind=Kind.WINDOW).exclude(state=StepState.DONE)
    undone = windows.order_by("index").values_list("index", flat=True).first()
    return job.windows_total if undone is None else undone
