"""What goes wrong, as exceptions. All are ToolsWhisperError; those that the server told are ApiError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools_whisper.shapes import Job
from tools_whisper.wire import Answer


class ToolsWhisperError(Exception):
    """The message is a sentence for people."""


class Unreachable(ToolsWhisperError):
    """No answer came, after all attempts. What was asked for may have happened nevertheless."""


class JobFailed(ToolsWhisperError):
    """A job that was waited for has failed; `code` is one of the server's failure codes."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.failure_error or f"Job {job.id} has failed.")
        self.job, self.code = job, job.failure_code or ""


class ApiError(ToolsWhisperError):
    """A refusal: its status, the server's `code`, and sentences by field where fields are wrong."""

    def __init__(self, message: str, *, status: int, code: str = "", fields: Mapping[str, Sequence[str]] | None = None):
        super().__init__(message)
        self.status, self.code, self.fields = status, code, dict(fields or {})


class Unauthorized(ApiError):
    """401: the token is not known, revoked or expired."""


class Forbidden(ApiError):
    """403: the token's owner lacks a permission."""


class NotFound(ApiError):
    """404: there is no such thing, or it is somebody else's."""


class Unprocessable(ApiError):
    """422: a field is wrong, or the job is in a state in which this makes no sense."""


class RateLimited(ApiError):
    """429, after all attempts."""


class ServerFault(ApiError):
    """5xx, after all attempts."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    422: Unprocessable,
    429: RateLimited,
}


def of_answer(answer: Answer) -> ApiError:
    told = answer.json()
    kind = _BY_STATUS.get(answer.status, ServerFault if answer.status >= 500 else ApiError)
    fields = told.get("errors")
    return kind(
        str(told.get("message") or _without_words(answer)),
        status=answer.status,
        code=str(told.get("code") or ""),
        fields=fields if isinstance(fields, dict) else None,
    )


def _without_words(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"The server sends elsewhere, to {answer.headers.get('location', 'nowhere')}. Use that address instead."
    return f"The server answered with status {answer.status}."
