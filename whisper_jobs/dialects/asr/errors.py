"""The errors of this dialect: FastAPI's bodies. All its fields but the file are in the query."""

from __future__ import annotations

from django.utils.translation import gettext as _

from whisper_jobs import sandbox
from whisper_jobs.dialects import fastapi, idempotency, inline
from whisper_jobs.dialects.refusals import Refusal, Worded

QUERY = (
    *("encode", "task", "language", "initial_prompt", "vad_filter", "word_timestamps"),
    *("diarize", "min_speakers", "max_speakers", "output"),
)
PLACES: dict[str, str] = {
    **dict.fromkeys(QUERY, "query"),
    **dict.fromkeys((idempotency.HEADER, sandbox.HEADER), "header"),
}


def word(refusal: Refusal) -> Worded:
    return fastapi.worded(refusal, PLACES)


def goes_on(job_id: int) -> Worded:
    return 504, {"detail": inline.goes_on(job_id)}


def took_too_long() -> Worded:
    return 504, {"detail": _("The beginning of the recording could not be heard in time. Try again later.")}
