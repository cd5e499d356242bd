"""A transcript that nobody has said, for trying out what reads one: numbered sentences, the same every time."""

from __future__ import annotations

from collections.abc import Iterator

from whisper_jobs.speech.transcript import Segment, Word

#: From the beginning of one sentence to that of the next, and how much of it is silence.
SENTENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.25
SPEAKERS = ("SPEAKER_00", "SPEAKER_01")


def segments(count: int, *, with_speakers: bool) -> Iterator[Segment]:
    """So many sentences; two speakers take turns, where they are to be told apart."""
    for place in range(count):
        yield _sentence(place, SPEAKERS[place % len(SPEAKERS)] if with_speakers else None)


def duration_seconds(count: int) -> float:
    return count * SENTENCE_SECONDS


def _sentence(place: int, speaker: str | None) -> Segment:
    start, text = place * SENTENCE_SECONDS, f"This is sentence {place + 1} of a made-up transcript."
    said = text.split()
    each = (SENTENCE_SECONDS - PAUSE_SECONDS) / len(said)
    words = tuple(
        Word(round(start + at * each, 3), round(start + (at + 1) * each, 3), word, 1.0) for at, word in enumerate(said)
    )
    return Segment(start, words[-1].end, text, words, speaker, 1.0)


def translated(text: str, language: str) -> str:
    """As if somebody had: the same words, and the language that they should be in."""
    return f"[{language}] {text}"


def analysis() -> dict[str, object]:
    """Every part that an analysis can have, as language_models.analysis_reading reads them."""
    return {
        "summary": "This analysis is made up. It belongs to a job of the sandbox.",
        "key_points": ["A made-up point.", "Another made-up point."],
        "decisions": ["A made-up decision."],
        "action_items": [{"text": "A made-up task.", "owner": "Somebody", "due": "tomorrow"}],
        "chapters": [{"title": "A made-up chapter", "start": 0.0}],
    }
