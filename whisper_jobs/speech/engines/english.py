"""What engines that understand nothing but English say to other languages."""

from __future__ import annotations

from whisper_jobs.errors import JobError
from whisper_jobs.speech.languages import name_of


def refuse_other_languages(language: str | None, *, engine: str) -> None:
    """`engine` as it begins a sentence. Raises JobError `language_unsupported`; an unknown language is taken for English."""
    if language not in (None, "en"):
        message = f"{engine} understands English only, not {name_of(language)}. Choose a Whisper model."
        raise JobError("language_unsupported", message)
