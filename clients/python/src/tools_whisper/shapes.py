"""The server's JSON as frozen dataclasses. What has no field here is in `raw`; new keys are no surprise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
#: Of `status`: nothing happens to the job by itself any more.
ENDED = ("completed", "failed")


@dataclass(frozen=True, slots=True)
class Word:
    start: float
    end: float
    word: str
    probability: float | None

    @classmethod
    def of(cls, told: Json) -> Word:
        return cls(told["start"], told["end"], told["word"], told.get("probability"))


@dataclass(frozen=True, slots=True)
class Segment:
    """`start` and `end` in seconds. `revision` grows when it is changed, its `id` stays."""

    id: int
    start: float
    end: float
    text: str
    speaker: str | None
    probability: float | None
    suspect: str | None
    words: tuple[Word, ...]
    revision: int

    @classmethod
    def of(cls, told: Json) -> Segment:
        return cls(
            id=told["id"],
            start=told["start"],
            end=told["end"],
            text=told["text"],
            speaker=told.get("speaker"),
            probability=told.get("probability"),
            suspect=told.get("suspect"),
            words=tuple(Word.of(one) for one in told.get("words") or ()),
            revision=told.get("revision", 0),
        )


@dataclass(frozen=True, slots=True)
class Speaker:
    label: str
    name: str | None
    seconds: float | None

    @classmethod
    def of(cls, told: Json) -> Speaker:
        return cls(told["label"], told.get("name"), told.get("seconds"))


@dataclass(frozen=True, slots=True)
class Share:
    """Whoever has the `url` can read the transcript."""

    url: str
    expires_at: datetime | None
    has_passcode: bool
    views: int

    @classmethod
    def of(cls, told: Json) -> Share:
        return cls(told["url"], moment(told.get("expires_at")), bool(told.get("has_passcode")), told.get("views", 0))


@dataclass(frozen=True, slots=True)
class Job:
    """A recording on its way to a transcript. Lists and changes have no `text`, `speakers` and `share`."""

    id: int
    status: str
    stage: str
    #: From 0 to 100.
    progress: float
    revision: int
    title: str
    language: str | None
    duration_seconds: float | None
    queue_position: int | None
    eta_seconds: float | None
    created_at: datetime | None
    completed_at: datetime | None
    failure_code: str | None
    failure_error: str | None
    text: str | None
    speaker_text: str | None
    speakers: tuple[Speaker, ...]
    exports: Mapping[str, str]
    share: Share | None
    raw: Json = field(repr=False, compare=False)

    @property
    def is_completed(self) -> bool:
        return self.status == "completed"

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @classmethod
    def of(cls, told: Json) -> Job:
        share = told.get("share")
        return cls(
            **{name: told.get(name) for name in _AS_THEY_ARE},
            id=told["id"],
            status=told["status"],
            stage=told.get("stage", ""),
            progress=told.get("progress", 0.0),
            revision=told.get("revision", 0),
            title=told.get("title") or "",
            duration_seconds=told.get("source_duration_seconds"),
            created_at=moment(told.get("created_at")),
            completed_at=moment(told.get("completed_at")),
            text=told.get("transcript_text"),
            speaker_text=told.get("speaker_aware_transcript"),
            speakers=tuple(Speaker.of(one) for one in (told.get("diarization") or {}).get("speakers", ())),
            exports=told.get("exports") or {},
            share=Share.of(share) if share else None,
            raw=told,
        )


_AS_THEY_ARE = ("language", "queue_position", "eta_seconds", "failure_code", "failure_error")


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the cursor of the page behind it, None at the end."""

    jobs: tuple[Job, ...]
    next: int | None

    @classmethod
    def of(cls, told: Json) -> Page:
        return cls(tuple(Job.of(one) for one in told["jobs"]), told.get("next"))


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
