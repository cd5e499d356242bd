"""A recording is cut into windows: what is promised about them holds for every recording and every way to feed it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.conftest import Pcm
from tests.speech.noises import NOISES
from whisper_jobs.speech.vad import FRAME_SAMPLES, Floats
from whisper_jobs.speech.windows import Rules, Window, WindowCutter, as_floats

SECOND = 16_000
FRAME = FRAME_SAMPLES / SECOND
#: A small world, in which three seconds are a full window.
RULES = Rules(
    shortest_speech=0.1,
    shortest_silence=0.2,
    sure_speech=0.1,
    padding=0.1,
    long_silence=0.8,
    enough=2.2,
    first_enough=0.8,
    pause=0.3,
)
LONGEST = 3.0


class LoudIsSpeech:
    """A detector for sounds that the tests make: a frame is speech when it is loud."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def probabilities(self, samples: Floats) -> Floats:
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[whole:]
        loudness: Floats = np.abs(samples[:whole].reshape(-1, FRAME_SAMPLES)).mean(axis=1)
        return np.where(loudness > 0.08, np.float32(1), np.float32(0))

    def finish(self) -> Floats:
        return self.probabilities(np.zeros(-len(self._rest) % FRAME_SAMPLES, np.float32))


def sound(runs: Sequence[tuple[bool, int]], *, seed: int = 0) -> Pcm:
    """Runs of (loud or not, samples), each sample different from its neighbours so that a slip would show."""
    random = np.random.default_rng(seed)
    pieces = [
        random.integers(1500, 9000, length) if loud else random.integers(-50, 50, length) for loud, length in runs
    ]
    return np.concatenate([np.zeros(0), *pieces]).astype(np.int16)


def cut(samples: Pcm, pieces: Sequence[int] = (), *, resume_at: float = 0.0) -> tuple[list[Window], WindowCutter]:
    cutter = WindowCutter(LONGEST, rules=RULES, detector=LoudIsSpeech(), resume_at=resume_at)
    windows: list[Window] = []
    at = 0
    for piece in pieces:
        windows += cutter.feed(samples[at : at + piece])
        at += piece
    windows += cutter.feed(samples[at:])
    return windows + cutter.finish(), cutter


def same(some: list[Window], others: list[Window]) -> bool:
    def described(windows: list[Window]) -> list[object]:
        return [(each.start, each.end, each.speech, each.samples.tobytes()) for each in windows]

    return described(some) == described(others)


lengths = st.integers(1, 3 * SECOND)
recordings = st.lists(st.tuples(st.booleans(), lengths), max_size=10).map(sound)


@given(recordings)
def test_windows_are_in_order_without_overlap_and_never_too_long(samples: Pcm) -> None:
    windows, cutter = cut(samples)
    position = 0.0
    for window in windows:
        assert position <= window.start < window.end <= len(samples) / SECOND
        assert window.end - window.start <= LONGEST
        position = window.end
    assert cutter.seconds_seen == len(samples) / SECOND


@given(recordings)
def test_a_window_carries_exactly_its_part_of_the_recording(samples: Pcm) -> None:
    for window in cut(samples)[0]:
        expected = samples[round(window.start * SECOND) : round(window.end * SECOND)]
        assert window.samples.dtype == np.int16
        assert np.array_equal(window.samples, expected)


@given(recordings)
def test_spans_of_speech_lie_in_order_inside_their_window(samples: Pcm) -> None:
    windows, cutter = cut(samples)
    for window in windows:
        times = [time for span in window.speech for time in span]
        assert times == sorted(times)
        assert window.start <= times[0]
        assert times[-1] <= window.end
    total = sum(end - start for window in windows for start, end in window.speech)
    assert cutter.speech_seconds == pytest.approx(total, abs=FRAME)


@given(recordings)
def test_all_speech_that_is_long_enough_is_in_a_window(samples: Pcm) -> None:
    loud = LoudIsSpeech().probabilities(as_floats(samples)) > 0
    inside = np.zeros(len(loud) + 1, bool)
    for window in cut(samples)[0]:
        first, last = round(window.start / FRAME), round(window.end / FRAME + 0.49)
        inside[first : min(last, len(inside))] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(int), [0]))))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= 3:
            assert inside[start:end].all()


@given(recordings, st.lists(st.integers(0, SECOND), max_size=30))
def test_how_it_is_fed_makes_no_difference(samples: Pcm, pieces: list[int]) -> None:
    assert same(cut(samples, pieces)[0], cut(samples)[0])


@given(recordings, st.data())
def test_resuming_at_the_end_of_a_window_gives_the_ones_that_follow(samples: Pcm, data: st.DataObject) -> None:
    windows, whole = cut(samples)
    done = data.draw(st.integers(0, len(windows)))
    resumed, cutter = cut(samples, resume_at=windows[done - 1].end if done else 0.0)
    assert same(resumed, windows[done:])
    assert cutter.speech_seconds == whole.speech_seconds


@given(recordings, st.floats(0, 20))
def test_no_window_starts_before_the_point_of_resuming(samples: Pcm, resume_at: float) -> None:
    windows = cut(samples)[0]
    resumed = cut(samples, resume_at=resume_at)[0]
    assert all(window.start >= resume_at - 1 / SECOND for window in resumed)
    assert [each.end for each in resumed] == [
        each.end for each in windows if each.speech[-1][1] > round(resume_at * SECOND) / SECOND
    ]


def test_a_long_silence_is_in_no_window() -> None:
    windows = cut(sound([(True, SECOND), (False, 5 * SECOND), (True, SECOND)]))[0]
    assert [(round(each.start, 1), round(each.end, 1)) for each in windows] == [(0.0, 1.1), (5.9, 7.0)]


def test_a_short_silence_stays_inside() -> None:
    windows = cut(sound([(True, SECOND // 2), (False, SECOND // 4), (True, SECOND // 2)]))[0]
    assert len(windows) == 1
    assert len(windows[0].speech) == 2


def test_the_first_window_ends_soon_so_that_words_show() -> None:
    turn = [(True, SECOND), (False, SECOND * 2 // 5)]
    windows = cut(sound(turn * 6))[0]
    assert windows[0].end < 1.5
    assert windows[1].end - windows[1].start > 2.0


def test_speech_without_silence_is_cut_at_its_quietest_point() -> None:
    loud = sound([(True, 5 * SECOND)])
    dip = slice(int(2.5 * SECOND), int(2.7 * SECOND))
    loud[dip] = np.sign(loud[dip]) * 700
    windows = cut(loud)[0]
    assert 2.5 < windows[0].end < 2.7
    assert windows[1].start == windows[0].end
    assert windows[-1].end == 5.0


def test_a_full_window_is_cut_at_a_silence_if_there_was_one() -> None:
    windows = cut(sound([(True, int(1.7 * SECOND)), (False, SECOND // 4), (True, 2 * SECOND)]))[0]
    assert 1.7 < windows[0].end < 1.95
    assert windows[0].end <= windows[1].start < 1.95


def test_the_rest_of_a_word_that_was_cut_is_kept_however_short() -> None:
    for extra in range(40):
        samples = sound([(True, 3 * SECOND + extra * 100), (False, SECOND)])
        windows = cut(samples)[0]
        assert max(end for each in windows for _, end in each.speech) >= len(samples) / SECOND - 1 - FRAME


@pytest.mark.parametrize("samples", [0, 1, 800])
def test_next_to_nothing_gives_no_window(samples: int) -> None:
    assert cut(sound([(True, samples)]))[0] == []


def test_memory_does_not_grow_with_the_recording() -> None:
    def peak(minutes: int) -> int:
        cutter = WindowCutter(LONGEST, rules=RULES, detector=LoudIsSpeech())
        piece = sound([(True, SECOND)])
        tracemalloc.start()
        for _ in range(minutes * 60):
            cutter.feed(piece)
        cutter.finish()
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(5) < 1.1 * peak(1)


def test_the_sample_recording_is_cut_between_its_turns(dialogue: Pcm) -> None:
    cutter = WindowCutter()
    windows = cutter.feed(dialogue) + cutter.finish()
    assert windows[0].end < 13, "first words show soon"
    assert all(each.end - each.start <= 30 for each in windows)
    assert 0.75 < cutter.speech_seconds / cutter.seconds_seen < 1.0
    for window in windows:
        edge = window.samples[-SECOND // 20 :].astype(np.float64)
        assert np.abs(edge).mean() < 100, "no window ends inside a word"


def test_an_hour_of_silence_costs_little_and_gives_nothing() -> None:
    cutter = WindowCutter()
    silence = np.zeros(10 * SECOND, np.int16)
    assert [window for _ in range(360) for window in cutter.feed(silence)] + cutter.finish() == []
    assert (cutter.speech_seconds, cutter.seconds_seen) == (0.0, 3600.0)


@pytest.mark.parametrize("loudness", [1.0, 0.02])
@pytest.mark.parametrize("name", NOISES)
def test_sounds_in_which_nobody_speaks_give_no_window(name: str, loudness: float) -> None:
    samples = (NOISES[name](30.0) * loudness).astype(np.int16)
    cutter = WindowCutter()
    assert cutter.feed(samples) + cutter.finish() == []
    assert cutter.speech_seconds == 0.0


def test_music_around_speech_is_in_no_window(dialogue: Pcm) -> None:
    music = NOISES["band"](20.0)
    cutter = WindowCutter()
    windows = cutter.feed(np.concatenate((music, dialogue, music))) + cutter.finish()
    assert windows[0].start > 19.5
    assert windows[-1].end < 20.5 + len(dialogue) / SECOND


class Believing:
    """A detector that answers with what it was made with."""

    def __init__(self, *probabilities: float) -> None:
        self._answers = np.array(probabilities, np.float32)

    def probabilities(self, samples: Floats) -> Floats:
        count = len(samples) // FRAME_SAMPLES
        answers, self._answers = self._answers[:count], self._answers[count:]
        return answers

    def finish(self) -> Floats:
        return self._answers


@pytest.mark.parametrize(
    ("probability", "frames", "windows"), [(0.7, 20, 0), (0.7, 32, 1), (0.95, 5, 0), (0.95, 6, 1), (0.79, 30, 0)]
)
def test_a_moment_in_which_the_detector_suspects_speech_is_none(probability: float, frames: int, windows: int) -> None:
    answers = [0.0] * 32 + [probability] * frames + [0.0] * 96
    cutter = WindowCutter(detector=Believing(*answers))
    found = cutter.feed(sound([(True, len(answers) * FRAME_SAMPLES)])) + cutter.finish()
    assert len(found) == windows
    assert (cutter.speech_seconds > 0) == bool(windows)


@pytest.mark.parametrize("loudness", [0.1, 0.01])
def test_faint_speech_is_found_as_loud_speech_is(dialogue: Pcm, loudness: float) -> None:
    faint = np.round(dialogue * loudness).astype(np.int16)
    cutters = [WindowCutter(), WindowCutter()]
    loud_windows, windows = (
        cutter.feed(each) + cutter.finish() for cutter, each in zip(cutters, (dialogue, faint), strict=True)
    )
    assert cutters[1].speech_seconds == pytest.approx(cutters[0].speech_seconds, rel=0.05)
    assert [each.start for each in windows] == pytest.approx([each.start for each in loud_windows], abs=0.3)
    assert np.abs(windows[0].samples).max() <= np.abs(faint).max(), "the window itself is as faint as the recording"


@pytest.mark.parametrize("ruined", ["clipped", "too fast", "too slow"])
def test_speech_in_ruined_recordings_is_found(dialogue: Pcm, ruined: str) -> None:
    if ruined == "clipped":
        samples = np.clip(dialogue.astype(np.int32) * 20, -32768, 32767).astype(np.int16)
    else:
        factor = 1.05 if ruined == "too fast" else 0.95
        times = np.arange(int(len(dialogue) / factor)) * factor
        samples = np.interp(times, np.arange(len(dialogue)), dialogue).astype(np.int16)
    cutter = WindowCutter()
    assert cutter.feed(samples) + cutter.finish()
    assert 0.7 < cutter.speech_seconds / cutter.seconds_seen < 1.0
