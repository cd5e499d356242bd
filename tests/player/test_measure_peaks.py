"""The shape of a recording's sound: loudness where it is loud, silence where there is none, small however long it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from whisper_jobs.speech.peaks import MOST_PEAKS, PeakMeter, Shape

RATE = 16_000


def measured(samples: NDArray[np.int16], *, piece: int = RATE * 2, **options: int) -> Shape:
    meter = PeakMeter(RATE, **options)
    for start in range(0, len(samples), piece):
        meter.feed(samples[start : start + piece])
    return meter.finish()


def test_each_stretch_has_its_loudest_sample() -> None:
    samples = np.zeros(RATE, np.int16)
    samples[100], samples[850], samples[-1] = 16_384, -32_768, 128
    shape = measured(samples)
    assert shape.per_second == 20
    assert list(shape.peaks) == [128, 255, *[0] * 17, 1]


def test_the_last_stretch_may_be_short() -> None:
    assert len(measured(np.full(801, 1000, np.int16)).peaks) == 2
    assert measured(np.zeros(0, np.int16)).peaks == b""


@given(st.integers(1, 40_000), st.integers(1, 9000))
def test_it_does_not_matter_in_which_pieces_the_sound_comes(length: int, piece: int) -> None:
    samples = np.random.default_rng(length).integers(-32_768, 32_767, length, np.int16)
    assert measured(samples, piece=piece) == measured(samples)


@pytest.mark.parametrize("seconds", [10.0, 10.05, 39.95, 77.7])
def test_a_long_recording_has_longer_stretches_and_no_holes(seconds: float) -> None:
    samples = np.zeros(int(RATE * seconds), np.int16)
    samples[:: RATE // 4] = 20_000
    shape = measured(samples, most=100)
    assert 50 <= len(shape.peaks) <= 101
    assert shape.per_second < 20
    assert len(shape.peaks) / shape.per_second == pytest.approx(seconds, abs=1 / shape.per_second)
    if shape.per_second <= 4:
        assert min(shape.peaks[:-1]) == 156


def test_a_place_stays_where_it_is_when_stretches_grow() -> None:
    samples = np.zeros(RATE * 60, np.int16)
    samples[RATE * 41] = 32_767
    shape = measured(samples, piece=777, most=64)
    loud = [place for place, peak in enumerate(shape.peaks) if peak]
    assert [int(place / shape.per_second) <= 41 <= (place + 1) / shape.per_second for place in loud] == [True]


def test_ten_hours_are_told_in_less_than_200_kilobytes() -> None:
    meter = PeakMeter(RATE)
    minute = np.full(RATE * 60, -32_768, np.int16)
    for _ in range(600):
        meter.feed(minute)
    shape = meter.finish()
    assert len(json.dumps(list(shape.peaks), separators=(",", ":"))) < 200_000
    assert MOST_PEAKS / 2 <= len(shape.peaks) <= MOST_PEAKS
    assert len(shape.peaks) / shape.per_second == pytest.approx(36_000, abs=1)
