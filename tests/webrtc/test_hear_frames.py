"""Frames become samples: at the rate of the engines, with silence for what got lost, and never faster than time passes."""

from __future__ import annotations

import fractions

import numpy as np
from av import AudioFrame

from whisper_jobs.hearing.rtc import AHEAD_SECONDS, Sound

RATE, FRAME = 48_000, 960


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def frame(number: int, level: int = 8000, *, layout: str = "stereo") -> AudioFrame:
    """A fiftieth of a second, as Opus is decoded."""
    channels = 2 if layout == "stereo" else 1
    made = AudioFrame.from_ndarray(np.full((1, FRAME * channels), level, np.int16), format="s16", layout=layout)
    made.sample_rate, made.pts, made.time_base = RATE, number * FRAME, fractions.Fraction(1, RATE)
    return made


def test_two_channels_at_48_khz_become_one_at_16() -> None:
    samples = Sound(Clock()).samples_of([frame(number) for number in range(50)])
    assert samples.dtype == np.int16
    assert abs(len(samples) - 16_000) < 100
    assert abs(int(np.median(samples)) - 8000) < 50


def test_lost_packets_are_silence() -> None:
    sound = Sound(clock := Clock())
    before = sound.samples_of([frame(number) for number in range(10)])
    clock.now = 1.2
    after = sound.samples_of([frame(number) for number in range(60, 70)])
    assert not after[: 16_000 - 400].any()
    assert abs(len(before) + len(after) - 16_000 * 1.4) < 200


def test_a_clock_that_jumps_makes_no_hours_of_silence() -> None:
    sound = Sound(Clock())
    sound.samples_of([frame(0)])
    samples = sound.samples_of([frame(number * 20_000) for number in range(1, 40)])
    assert len(samples) <= 16_000 * (AHEAD_SECONDS + 1)


def test_sound_that_is_sent_faster_than_time_passes_is_left_out() -> None:
    sound = Sound(clock := Clock())
    samples = sound.samples_of([frame(number) for number in range(50 * 60)])
    assert len(samples) <= 16_000 * AHEAD_SECONDS
    clock.now = 1.0
    assert len(sound.samples_of([frame(3000)])) > 0


def test_a_client_that_changes_its_kind_of_sound_is_heard_on() -> None:
    sound = Sound(Clock())
    sound.samples_of([frame(number) for number in range(10)])
    assert len(sound.samples_of([frame(number, layout="mono") for number in range(10, 20)])) > 3000
