"""Coverage: which of the detected speech has text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_jobs.speech.coverage import Span, coverage

spans = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 40)).map(lambda s: (s[0] / 10, (s[0] + s[1]) / 10)))


def test_speech_without_text_is_a_gap() -> None:
    found = coverage([(0, 10), (20, 30)], [(0, 9.5), (24, 30)], 40.0)
    assert found == {
        "speech_seconds": 20.0,
        "transcribed_seconds": 15.5,
        "ratio": 0.775,
        "gaps": [{"start": 20.0, "end": 24.0}],
    }


def test_overlapping_spans_count_once_and_text_in_silence_counts_nothing() -> None:
    found = coverage([(0, 4), (2, 6)], [(0, 6), (1, 3), (50, 60)], None)
    assert (found["speech_seconds"], found["transcribed_seconds"], found["gaps"]) == (6.0, 6.0, [])


def test_no_speech_is_covered() -> None:
    assert coverage([], [], 10.0) == {"speech_seconds": 0, "transcribed_seconds": 0, "ratio": 1.0, "gaps": []}


def test_no_text_misses_all_speech_up_to_the_end_of_the_recording() -> None:
    assert coverage([(1, 9)], [], 5.0)["gaps"] == [{"start": 1.0, "end": 5.0}]


@given(spans, spans)
def test_it_agrees_with_counting_tenths_of_seconds(speech: list[Span], text: list[Span]) -> None:
    def tenths(of: list[Span]) -> set[int]:
        return {tenth for start, end in of for tenth in range(round(start * 10), round(end * 10))}

    found = coverage(speech, text, None)
    spoken, written = tenths(speech), tenths(text)
    assert found["speech_seconds"] == pytest.approx(len(spoken) / 10)
    assert found["transcribed_seconds"] == pytest.approx(len(spoken & written) / 10)
    missed = spoken - written
    long = {
        tenth
        for tenth in missed
        if any(set(range(first, first + 10)) <= missed for first in range(tenth - 9, tenth + 1))
    }
    gaps = tenths([(gap["start"], gap["end"]) for gap in found["gaps"]])
    assert gaps == long
