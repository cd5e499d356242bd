"""Calls of a server that speaks OpenAI's protocols: the client, waiting for it, and what is wrong when a call fails.

Language models and the relay call through here. Tries nothing again by itself: errors say whether that may help.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import httpx2

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import OutboundRefused

if TYPE_CHECKING:
    import openai

#: How often a call that is under way looks whether it should stop.
LOOK_SECONDS = 0.2
#: A server's wish for a pause is honoured up to here.
MOST_PAUSE_SECONDS = 3600.0
#: Troubles that may be over when the call is made again.
_PASSING = frozenset({"slow", "unreachable", "nonsense", "busy", "broken"})
_CODES = {"slow": "timeout", "quota": "quota_exceeded"}
_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached")
_OF_STATUS = {
    400: "shape",
    422: "shape",
    401: "key",
    402: "quota",
    403: "forbidden",
    404: "unknown_model",
    413: "too_long",
}
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a call failed.

    `name` is one of: refused, bad_address, unreachable, slow, busy, broken, nonsense, key, forbidden, unknown_model, quota,
    too_long, shape (what was asked for may be asked for in a plainer way), request.
    """

    name: str
    after_seconds: float = 0.0

    def told(self, sentences: Mapping[str, str]) -> JobError:
        """The error that the job gets, in the words of who called."""
        return JobError(
            _CODES.get(self.name, "backend_unavailable"),
            sentences[self.name],
            retry=self.name in _PASSING,
            after_seconds=self.after_seconds,
        )


def client(http: httpx2.Client, *, base_url: str, api_key: str) -> openai.OpenAI:
    """The official client on top of a guarded one. All is given by hand: it would else be taken from the environment."""
    # Here, so that only a worker that calls pays for it.
    import openai

    made = openai.OpenAI(base_url=base_url, api_key=api_key, admin_api_key="", http_client=http, max_retries=0)
    made.organization = made.project = None
    return made


def awaited(
    calls: Sequence[Callable[[], Answer]], *, should_stop: Callable[[], bool], at_once: int = 1
) -> Iterator[tuple[int, Answer]]:
    """Makes the calls, `at_once` under way together, and yields place and answer of each as it comes.

    Each runs in a thread of its own, so that whoever should stop need not wait for the server; one that is under way then is
    left alone. Raises what a call raised, and JobError `cancelled`.
    """
    box: queue.SimpleQueue[tuple[int, Answer | Exception]] = queue.SimpleQueue()
    left = iter(range(len(calls)))
    for place in islice(left, at_once):
        _start(calls, place, box)
    for _ in calls:
        place, found = _next(box, should_stop)
        if isinstance(found, Exception):
            raise found
        if (following := next(left, None)) is not None:
            _start(calls, following, box)
        yield place, found


def _start(
    calls: Sequence[Callable[[], Answer]], place: int, box: queue.SimpleQueue[tuple[int, Answer | Exception]]
) -> None:
    def call() -> None:
        try:
            box.put((place, calls[place]()))
        except Exception as error:
            box.put((place, error))

    threading.Thread(target=call, name="calling", daemon=True).start()


def _next(
    box: queue.SimpleQueue[tuple[int, Answer | Exception]], should_stop: Callable[[], bool]
) -> tuple[int, Answer | Exception]:
    while True:
        try:
            return box.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            if should_stop():
                raise JobError("cancelled") from None


def trouble_of(error: Exception) -> Trouble | None:
    """What whatever a call raised stands for; None for anything unforeseen, and for errors of who called."""
    import openai

    if isinstance(error, OutboundRefused):
        return Trouble("refused" if error.code == "source_private_address" else "bad_address")
    if isinstance(error, JobError):
        return _of_guard(error)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APITimeoutError):
        return Trouble("slow")
    if isinstance(error, openai.APIConnectionError):
        return Trouble("unreachable")
    # The body was no JSON, or not what it said it is.
    return Trouble("nonsense") if isinstance(error, openai.OpenAIError | ValueError | RecursionError) else None


def _of_guard(error: JobError) -> Trouble | None:
    """The guard speaks of media."""
    names = {"timeout": "slow", "source_too_large": "nonsense", "source_unreachable": "unreachable"}
    name = names.get(error.code)
    return Trouble(name) if name else None


def _of_status(error: openai.APIStatusError) -> Trouble:
    status, code = error.status_code, str(error.code or "")
    if code in _TOO_LONG:
        return Trouble("too_long")
    if code in _NO_CREDIT:
        return Trouble("quota")
    if name := _OF_STATUS.get(status):
        return Trouble(name)
    if status == 429:
        return Trouble("busy", _pause(error))
    if status in (408, 409, 425) or status >= 500:
        return Trouble("broken", _pause(error))
    return Trouble("request")


def _pause(error: openai.APIStatusError) -> float:
    """Seconds of Retry-After; a date in its place, which none of these servers sends, counts as nothing."""
    try:
        return min(max(0.0, float(error.response.headers.get("Retry-After", ""))), MOST_PAUSE_SECONDS)
    except ValueError:
        return 0.0
