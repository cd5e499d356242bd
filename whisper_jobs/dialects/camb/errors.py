"""The errors of this dialect: FastAPI's bodies, and where its fields are when they are not in the body."""

from __future__ import annotations

from whisper_jobs import sandbox
from whisper_jobs.dialects import fastapi, idempotency
from whisper_jobs.dialects.refusals import Refusal, Worded

PLACES: dict[str, str] = {
    "run_id": "path",
    "format_type": "query",
    "data_type": "query",
    "word_level_timestamps": "query",
    idempotency.HEADER: "header",
    sandbox.HEADER: "header",
}


def word(refusal: Refusal) -> Worded:
    return fastapi.worded(refusal, PLACES)
