"""One attempt to hand a letter to its receiver: signed as Standard Webhooks says, sent through the guard, and judged.

Knows neither rows nor settings; the deliverer's threads work here.
"""

from __future__ import annotations

import contextlib
import email.utils
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2
from standardwebhooks import Webhook

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard, OutboundRefused

log = logging.getLogger(__name__)
#: For everything: finding the name, connecting, sending, and the answer's first line.
TIMEOUT_SECONDS = 15.0
#: A receiver's wish for a longer pause is honoured up to here.
MOST_RETRY_AFTER_SECONDS = 86_400.0
#: As much of an answer is read, so that the receiver can end it; nothing of it is kept.
ANSWER_BYTES = 4096
#: What a receiver says who is to say that it has taken the letter.
TAKEN = b"ok"
GONE = 410

#: Why an attempt failed, by code. Pages translate the sentences.
FAILURES: dict[str, str] = {
    "refused": "This address is not on the public internet, so nothing is sent to it.",
    "not_found": "The receiver's name could not be found.",
    "unreachable": "The receiver could not be reached.",
    "certificate": "The receiver's certificate is not to be trusted.",
    "timeout": "The receiver did not answer within 15 seconds.",
    "broken": "The receiver's answer broke off or was no HTTP.",
    "redirect": "The receiver redirects to another address. Redirects are not followed.",
    "gone": "The receiver wants no more of this (410).",
    "answer": "The receiver did not accept it.",
    "not_ok": "The receiver did not answer with “OK” alone, as it has to.",
    "sandbox": "The sandbox takes this attempt as failed.",
    "internal": "Something went wrong on this server.",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent. `secrets` are `whsec_…`; each makes a signature."""

    url: str
    message_id: str
    body: bytes
    secrets: Sequence[str] = field(repr=False)
    content_type: str = "application/json"
    #: The receiver has taken it when it says OK; any 2xx is enough otherwise.
    needs_ok: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`beginning` is that of its body; `retry_after_seconds` for how long the receiver asks to be left alone."""

    status: int
    retry_after_seconds: float = 0.0
    beginning: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `failure` is a key of FAILURES, empty when the receiver took it."""

    status: int | None = None
    failure: str = ""
    retry_after_seconds: float = 0.0
    duration_ms: int = 0

    @property
    def is_final(self) -> bool:
        return self.status == GONE


def post(letter: Letter, guard: Guard) -> Outcome:
    """Never raises: whatever happens is an outcome."""
    began = time.monotonic()
    status, failure, retry_after = None, "", 0.0
    try:
        answer = exchange(letter.url, letter.body, headers_of(letter, datetime.now(UTC)), guard)
        status, retry_after = answer.status, answer.retry_after_seconds
        failure = _judge(answer, needs_ok=letter.needs_ok)
    except Exception as error:  # a thread that ended otherwise would leave its delivery claimed
        failure = failure_of(error)
    return Outcome(status, failure, retry_after, round((time.monotonic() - began) * 1000))


def exchange(url: str, body: bytes, headers: Mapping[str, str], guard: Guard) -> Answer:
    """Posts through the guard."""
    guard.check_url(url)
    client = guard.client(timeout=TIMEOUT_SECONDS, connect_timeout=TIMEOUT_SECONDS, total_timeout=TIMEOUT_SECONDS)
    with client, client.stream("POST", url, content=body, headers=headers) as answer:
        beginning = b""
        with contextlib.suppress(httpx2.HTTPError, JobError):
            beginning = next(answer.iter_raw(ANSWER_BYTES), b"")
        return Answer(answer.status_code, retry_after_seconds(answer.headers.get("Retry-After", "")), beginning)


def headers_of(letter: Letter, at: datetime) -> Mapping[str, str]:
    """https://www.standardwebhooks.com/, 1.0.0. Without a secret there is no signature."""
    told = {
        "Content-Type": letter.content_type,
        "User-Agent": "ToolsWhisper",
        "Accept-Encoding": "identity",
        "webhook-id": letter.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
    }
    if signatures := [Webhook(secret).sign(letter.message_id, at, letter.body.decode()) for secret in letter.secrets]:
        told["webhook-signature"] = " ".join(signatures)
    return told


def _judge(answer: Answer, *, needs_ok: bool) -> str:
    if answer.status == GONE:
        return "gone"
    if 300 <= answer.status < 400:
        return "redirect"
    if not 200 <= answer.status < 300:
        return "answer"
    return "not_ok" if needs_ok and answer.beginning.strip().lower() != TAKEN else ""


def failure_of(error: Exception) -> str:
    if isinstance(error, OutboundRefused):
        return "refused"
    if isinstance(error, JobError):
        return "timeout" if error.code == "timeout" else "not_found"
    if isinstance(error, httpx2.TimeoutException):
        return "timeout"
    if isinstance(error, httpx2.ConnectError):
        return "certificate" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "unreachable"
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return "unreachable"
    if isinstance(error, httpx2.HTTPError):
        return "broken"
    log.exception("an attempt to deliver failed", exc_info=error)
    return "internal"


def retry_after_seconds(header: str, now: float | None = None) -> float:
    """How long the receiver asks to be left alone: seconds or a date; 0 for what is neither, at most a day."""
    text = header.strip()
    if re.fullmatch(r"[0-9]{1,18}", text):
        return min(float(text), MOST_RETRY_AFTER_SECONDS)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    # A date without a zone is meant as GMT, the only one that HTTP knows.
    left = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - (time.time() if now is None else now)
    return min(max(0.0, left), MOST_RETRY_AFTER_SECONDS)
