"""A job as it happens: by the server's socket, and by asking where that can't be had or was missed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tools_whisper.shapes import Job, Segment
from tools_whisper.transport import Place

#: A message holds at most some hundred segments with all their words.
MOST_MESSAGE_BYTES = 32 << 20
#: After so many sockets in a row that told nothing, there is only asking.
MOST_FAILURES = 3
PAUSE_SECONDS = 2.0
OPEN_SECONDS, CLOSE_SECONDS = 10.0, 2.0


@dataclass(frozen=True, slots=True)
class Change:
    """The job is as it is now; without text until the last one."""

    job: Job


@dataclass(frozen=True, slots=True)
class Heard:
    """Segments that are new, or have changed: know them by their `id`, sort them by `start`."""

    segments: tuple[Segment, ...]


class Asking(Protocol):
    def job(self, job_id: int) -> Job: ...
    def segments(self, job_id: int, *, since: int = 0) -> list[Segment]: ...


class _Seen:
    """Lets nothing through twice."""

    def __init__(self) -> None:
        self._segments: dict[int, int] = {}
        self._revision = -1

    def heard(self, segments: list[Segment]) -> Iterator[Heard]:
        fresh = [one for one in segments if one.revision > self._segments.get(one.id, -1)]
        self._segments.update({one.id: one.revision for one in fresh})
        if fresh:
            yield Heard(tuple(fresh))

    def changed(self, job: Job) -> Iterator[Change]:
        if job.revision > self._revision:
            self._revision = job.revision
            yield Change(job)


def watch(place: Place, asking: Asking, job_id: int) -> Iterator[Change | Heard]:
    """Ends when the job has; its last change has the whole job. Raises NotFound when it is deleted meanwhile."""
    seen, failures, since = _Seen(), 0, 0
    while True:
        if failures < MOST_FAILURES:
            told = 0
            for event in _by_socket(place, job_id, seen):
                told += 1
                yield event
            failures = 0 if told else failures + 1
        job = asking.job(job_id)
        yield from seen.heard(asking.segments(job_id, since=since))
        if job.has_ended:
            yield Change(job)
            return
        yield from seen.changed(job)
        since = job.revision
        time.sleep(PAUSE_SECONDS)


def _by_socket(place: Place, job_id: int, seen: _Seen) -> Iterator[Change | Heard]:
    """Until the job has ended or the socket has; what it can't tell is asked for anyway."""
    try:
        with connect(
            f"{place.socket_root}/ws/whisper/jobs/{job_id}",
            additional_headers=place.authorization,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=MOST_MESSAGE_BYTES,
        ) as socket:
            for message in socket:
                told = json.loads(message)
                if _is_end(told):
                    return
                yield from _events(told, seen)
    except (OSError, WebSocketException):
        return


def _is_end(told: dict[str, Any]) -> bool:
    return told["type"] == "deleted" or ("job" in told and Job.of(told["job"]).has_ended)


def _events(told: dict[str, Any], seen: _Seen) -> Iterator[Change | Heard]:
    if told["type"] in ("snapshot", "change"):
        yield from seen.changed(Job.of(told["job"]))
    elif told["type"] == "segments":
        yield from seen.heard([Segment.of(one) for one in told["segments"]])
