"""Windows of chosen spans, cut out of a recording while it is read once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from whisper_jobs.speech.vad import SAMPLE_RATE
from whisper_jobs.speech.windows import Pcm, cut_spans


def counting(seconds: float, piece: int) -> Iterator[Pcm]:
    """A recording whose samples tell their own place, in hundredths of a second."""
    samples = (np.arange(int(seconds * SAMPLE_RATE)) // (SAMPLE_RATE // 100)).astype(np.int16)
    return (samples[start : start + piece] for start in range(0, len(samples), piece))


@pytest.mark.parametrize("piece", [160, 16_000, 10_000_000])
def test_each_span_comes_with_a_little_of_what_is_around_it(piece: int) -> None:
    one, two = cut_spans(counting(60, piece), [(10.0, 12.0), (40.0, 41.0)], padding=0.5)
    assert (one.start, one.end, one.speech) == (9.5, 12.5, ((10.0, 12.0),))
    assert (int(one.samples[0]), int(one.samples[-1])) == (950, 1249)
    assert (two.start, two.end, int(two.samples[0])) == (39.5, 41.5, 3950)


def test_spans_that_lie_close_share_what_is_between_them() -> None:
    one, two = cut_spans(counting(20, 4000), [(5.0, 6.0), (6.2, 7.0)], padding=0.5)
    assert (one.end, two.start) == (6.5, 5.7)
    assert int(two.samples[0]) == 570


def test_a_long_span_comes_in_equal_parts_that_meet() -> None:
    windows = list(cut_spans(counting(100, 16_000), [(5.0, 80.0)], max_seconds=30.0, padding=0.5))
    spans = [span for window in windows for span in window.speech]
    assert spans == [(5.0, 30.0), (30.0, 55.0), (55.0, 80.0)]
    assert all(window.end - window.start <= 30.0 for window in windows)


def test_the_ends_of_the_recording_are_the_ends_of_its_windows() -> None:
    first, last = cut_spans(counting(10, 1000), [(0.1, 1.0), (9.0, 10.5)], padding=0.3)
    assert (first.start, last.end) == (0.0, 10.0)


def test_what_lies_behind_the_end_is_nothing() -> None:
    assert list(cut_spans(counting(3, 1000), [(5.0, 6.0)])) == []


def test_no_more_is_kept_than_a_window_needs() -> None:
    pieces = [np.zeros(16_000, np.int16)] * 3600
    [window] = cut_spans(iter(pieces), [(3590.0, 3595.0)])
    assert window.samples.nbytes < 200_000
    assert window.samples.base is None or window.samples.base.nbytes < 300_000
