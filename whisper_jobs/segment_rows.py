"""A spoken segment as a row, and back; and a row as the snapshot that the log of corrections keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whisper_jobs.models import Segment, Step
from whisper_jobs.speech.transcript import Decoding, Word
from whisper_jobs.speech.transcript import Segment as Spoken

Snapshot = dict[str, Any]
#: What a snapshot has of a row beside its id; `translated` (language → text) comes with those that have been translated.
FIELDS = (
    "step_id",
    "start",
    "end",
    "text",
    "words",
    "speaker",
    "probability",
    "suspect",
    "decoding",
    "checked",
    "revision",
)
#: Two rows that are alike in these say the same, whenever they were written.
_MEANT = ("start", "end", "text", "words", "speaker", "checked")


def row(step: Step, position: int, one: Spoken, revision: int) -> Segment:
    """The row, not yet stored. `one` has the recording's times."""
    return Segment(
        job_id=step.job_id,
        step=step,
        position=position,
        start=_seconds(one.start),
        end=_seconds(one.end),
        text=one.text,
        words=_words(one),
        speaker=one.speaker or "",
        probability=one.probability,
        suspect=one.suspect or "",
        decoding=_numbers(one.decoding),
        revision=revision,
    )


def spoken(row: Segment) -> Spoken:
    return Spoken(
        start=row.start,
        end=row.end,
        text=row.text,
        words=tuple(Word(*word) for word in row.words),
        speaker=row.speaker or None,
        probability=row.probability,
        suspect=row.suspect or None,  # type: ignore[arg-type]  # only row() writes it
        decoding=Decoding(*row.decoding) if row.decoding else None,
    )


def rewrite(row: Segment, one: Spoken) -> Segment:
    """The row with the times, words and speaker of `one`; not yet stored."""
    row.start, row.end, row.text, row.words = _seconds(one.start), _seconds(one.end), one.text, _words(one)
    row.speaker, row.probability, row.suspect = one.speaker or "", one.probability, one.suspect or ""
    return row


def _words(one: Spoken) -> list[list[Any]]:
    return [[_seconds(word.start), _seconds(word.end), word.text, word.probability] for word in one.words]


def _seconds(time: float) -> float:
    """To the millisecond: sums of floats have digits behind it that nobody measured."""
    return round(time, 3)


def snapshot(row: Segment, translated: Mapping[str, str]) -> Snapshot:
    told: Snapshot = {"id": row.pk, **{name: getattr(row, name) for name in FIELDS}}
    return {**told, "translated": dict(translated)} if translated else told


def row_of(job_id: int, kept: Snapshot) -> Segment:
    """The row as it was, not stored; `position` is not kept, since only the order in which a step writes needs it."""
    return Segment(job_id=job_id, pk=kept["id"], **{name: kept[name] for name in FIELDS})


def alike(one: Snapshot, other: Snapshot) -> bool:
    return all(one[name] == other[name] for name in _MEANT)


def _numbers(decoding: Decoding | None) -> list[float | None] | None:
    if decoding is None:
        return None
    return [decoding.temperature, decoding.avg_logprob, decoding.compression_ratio, decoding.no_speech_prob]
