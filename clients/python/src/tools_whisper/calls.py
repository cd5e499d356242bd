"""The calls of the token API: what is sent for each, and nothing of how."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import IO, Any, TypedDict
from urllib.parse import quote

from tools_whisper.wire import Call, Json

API = "/api/whisper/transcribe"


class Options(TypedDict, total=False):
    """What a job may be told besides its recording, in the names of the API (docs/api.md of the server)."""

    callback_url: str
    source_label: str
    source_note: str
    model: str
    language: str
    analysis_language: str
    translation_target_languages: Sequence[str]
    disable_diarization: bool
    min_speakers: int
    max_speakers: int
    human_review: bool
    use_glossary: bool
    task: str
    initial_prompt: str
    hotwords: Sequence[str]
    temperature: float
    backend_preference: str


def new_key() -> str:
    return str(uuid.uuid4())


def submit(fields: Mapping[str, Any], *, key: str, sandbox: str = "") -> Call:
    """The server makes one job for one key, however often it is sent."""
    headers = {"Idempotency-Key": key, **({"X-Sandbox": sandbox} if sandbox else {})}
    return Call("POST", API, json=dict(fields), headers=headers, is_repeatable=True)


def job(job_id: int) -> Call:
    return _read(f"/jobs/{job_id}")


def jobs(*, status: str, q: str, limit: int, cursor: int | None) -> Call:
    asked = {"status": status, "q": q, "limit": limit, "cursor": cursor}
    return _read("/jobs", {name: value for name, value in asked.items() if value not in ("", None)})


def segments(job_id: int, *, since: int, offset: int, language: str) -> Call:
    asked = {"since": since, "offset": offset, "limit": 1000, **({"language": language} if language else {})}
    return _read(f"/jobs/{job_id}/segments", asked)


def export(job_id: int, form: str, options: Mapping[str, Any], into: IO[bytes]) -> Call:
    asked = {name: str(value).lower() if isinstance(value, bool) else value for name, value in options.items()}
    return Call(
        "GET", f"{API}/jobs/{job_id}/exports/{quote(form, safe='')}", params=asked, is_repeatable=True, into=into
    )


def act(job_id: int, verb: str, fields: Json | None = None) -> Call:
    """`cancel`, `restart` and the like: once too often, and they would be refused."""
    return Call("POST", f"{API}/jobs/{job_id}/{verb}", json=fields or {})


def share(job_id: int, fields: Json) -> Call:
    """The link there is, or a new one. Only who asks for another one by all means gets two for two."""
    return Call("POST", f"{API}/jobs/{job_id}/share", json=fields, is_repeatable=not fields.get("new_link"))


def unshare(job_id: int) -> Call:
    return Call("DELETE", f"{API}/jobs/{job_id}/share")


def delete(job_id: int) -> Call:
    return Call("DELETE", f"{API}/jobs/{job_id}")


def status() -> Call:
    return _read("/status")


def _read(path: str, params: Mapping[str, Any] | None = None) -> Call:
    return Call("GET", API + path, params=params or {}, is_repeatable=True)
