"""What can go wrong with a call of a language model: each as a JobError whose sentence says what to do."""

from __future__ import annotations

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import OutboundRefused

#: Every sentence that a user can be told; pages translate them.
SENTENCES: dict[str, str] = {
    "no_key": "No key for a language model is known. Add your own in your account, or ask an administrator for one.",
    "not_allowed": "Who asked for this may not use a language model. An administrator can allow it.",
    "refused": "The language model's address is not on the public internet. An administrator admits it with TOOLS_OUTBOUND_ALLOW.",
    "bad_address": "The language model's address can't be used. An administrator must correct OPENAI_BASE_URL.",
    "unreachable": "The language model's server could not be reached.",
    "slow": "The language model took too long to answer.",
    "busy": "The language model takes no more requests at the moment.",
    "broken": "The language model's server has a problem.",
    "no_completion": "The server did not answer as a language model does. An administrator should check OPENAI_BASE_URL.",
    "empty": "The language model answered nothing.",
    "key": "The language model's server does not accept the key. Renew it in your account, or tell an administrator.",
    "forbidden": "This key may not use this language model. Choose another key, or ask an administrator for another model.",
    "unknown_model": "The server knows no such language model. An administrator must check TOOLS_OPENAI_MODEL and OPENAI_BASE_URL.",
    "quota": "The credit at the language model's provider is used up. Renew it there, then run this again.",
    "too_long": "This is more than the language model takes at once. An administrator should lower TOOLS_OPENAI_CONTEXT_TOKENS.",
    "request": "The language model's server did not accept the request. Run this again later, or tell an administrator.",
    "untranslatable": "The language model left parts untranslated, or answered for others than asked. What is done is kept.",
}
#: A server's wish for a pause is honoured up to here.
MOST_PAUSE_SECONDS = 3600.0
_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached")


class ShapeRefused(Exception):
    """The server may take the same question with a plainer response_format; `told` is the error if it is the plainest."""

    def __init__(self, told: JobError) -> None:
        super().__init__(told.message)
        self.told = told


def failure(
    name: str, *, code: str = "backend_unavailable", retry: bool = False, after_seconds: float = 0.0
) -> JobError:
    return JobError(code, SENTENCES[name], retry=retry, after_seconds=after_seconds)


def no_completion() -> JobError:
    return failure("no_completion", retry=True)


def empty() -> JobError:
    return failure("empty", retry=True)


def told_of(error: Exception) -> Exception:
    """The JobError (or ShapeRefused) that stands for whatever a call raised; anything unforeseen stays what it is."""
    import openai

    if isinstance(error, OutboundRefused):
        return failure("refused" if error.code == "source_private_address" else "bad_address")
    if isinstance(error, JobError):
        return _of_guard(error)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APITimeoutError):
        return failure("slow", code="timeout", retry=True)
    if isinstance(error, openai.APIConnectionError):
        return failure("unreachable", retry=True)
    # The body was no JSON, or not what it said it is.
    if isinstance(error, openai.OpenAIError | ValueError):
        return no_completion()
    return error


def _of_guard(error: JobError) -> JobError:
    """The guard speaks of media; a call's own errors are passed on."""
    if error.code == "timeout":
        return failure("slow", code="timeout", retry=True)
    if error.code == "source_too_large":
        return no_completion()
    return failure("unreachable", retry=True) if error.code == "source_unreachable" else error


def _of_status(error: object) -> Exception:
    status = int(getattr(error, "status_code", 0))
    code = str(getattr(error, "code", None) or "")
    if code in _TOO_LONG or status == 413:
        return failure("too_long")
    if status == 402 or code in _NO_CREDIT:
        return failure("quota", code="quota_exceeded")
    if status in (400, 422):
        return ShapeRefused(failure("request"))
    if name := {401: "key", 403: "forbidden", 404: "unknown_model"}.get(status):
        return failure(name)
    if status == 429:
        return failure("busy", retry=True, after_seconds=_pause(error))
    if status in (408, 409, 425) or status >= 500:
        return failure("broken", retry=True, after_seconds=_pause(error))
    return failure("request")


def _pause(error: object) -> float:
    """Seconds of Retry-After; a date in its place, which none of these servers sends, counts as nothing."""
    header = getattr(error, "response").headers.get("Retry-After", "")  # noqa: B009 - openai's types are not loaded here
    try:
        return min(max(0.0, float(header)), MOST_PAUSE_SECONDS)
    except ValueError:
        return 0.0
