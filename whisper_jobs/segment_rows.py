"""A spoken segment as a row, and back."""

from __future__ import annotations

from whisper_jobs.models import Segment, Step
from whisper_jobs.speech.transcript import Decoding, Word
from whisper_jobs.speech.transcript import Segment as Spoken


def row(step: Step, position: int, one: Spoken, revision: int) -> Segment:
    """The row, not yet stored. `one` has the recording's times."""
    return Segment(
        job_id=step.job_id,
        step=step,
        position=position,
        start=one.start,
        end=one.end,
        text=one.text,
        words=[[word.start, word.end, word.text, word.probability] for word in one.words],
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


def _numbers(decoding: Decoding | None) -> list[float | None] | None:
    if decoding is None:
        return None
    return [decoding.temperature, decoding.avg_logprob, decoding.compression_ratio, decoding.no_speech_prob]
