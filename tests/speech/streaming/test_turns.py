"""Turns of a captioner: where they begin and end, when their words are all told, and what is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clockwork import heard
from tests.speech.conftest import Pcm
from tests.speech.streaming.play import SECOND, Played, clockwork, joined
from tests.speech.streaming.test_caption import talk
from tests.speech.test_cut import LoudIsSpeech
from whisper_jobs.speech.streaming.captioner import Captioner
from whisper_jobs.speech.streaming.turns import Turn, Turns
from whisper_jobs.speech.streaming.utterances import RULES, rules_of_pauses
from whisper_jobs.speech.windows import as_floats

HALF_A_SECOND = rules_of_pauses(threshold=0.5, padding=0.3, silence=0.5)


class Talk:
    """Sound in quarters of a second, with all work that is due read after each; what is told in its order."""

    def __init__(self, *, by_pauses: bool = True) -> None:
        cutting = HALF_A_SECOND if by_pauses else RULES
        captioner = Captioner(chunk_seconds=1.0, detector=LoudIsSpeech(), cutting=cutting)
        self.played = Played(captioner, clockwork)
        self.turns = Turns(captioner, by_pauses=by_pauses)
        self.told: list[Turn] = []

    def hear(self, samples: Pcm) -> None:
        for start in range(0, len(samples), SECOND // 4):
            self.told += self.turns.feed(samples[start : start + SECOND // 4])
            self.read()

    def read(self) -> None:
        self.played.work()
        self.told += self.turns.settled()

    def flush(self) -> None:
        self.told += self.turns.flush()
        self.read()

    def finish(self) -> None:
        self.told += self.turns.finish()
        self.read()

    @property
    def said(self) -> list[tuple[str, int]]:
        return [(turn.said, turn.number) for turn in self.told]


def times(turns: Sequence[Turn], said: str) -> list[tuple[float, float]]:
    return [(turn.start, turn.end) for turn in turns if turn.said == said]


def test_a_pause_ends_a_turn_and_its_words_are_told_before_it_settles() -> None:
    one = Talk()
    one.hear(talk(2.0, 1.0, 3.0, 1.0))
    assert one.said == [(said, number) for number in (0, 1) for said in ("started", "ended", "settled")]
    first, second = times(one.told, "ended")
    assert first == pytest.approx((0.0, 2.3), abs=0.1)
    assert second == pytest.approx((2.7, 6.3), abs=0.1)


def test_a_pause_that_is_too_short_ends_nothing() -> None:
    one = Talk()
    one.hear(talk(2.0, 0.3, 9.0))
    assert one.said == [("started", 0)]


def test_sound_that_comes_all_at_once_has_the_same_turns() -> None:
    one = Talk()
    one.told += one.turns.feed(talk(2.0, 1.0, 3.0, 1.0))
    one.read()
    told = [(said, number) for number in (0, 1) for said in ("started", "ended")]
    assert one.said == [*told, ("settled", 0), ("settled", 1)]


def test_a_flush_in_the_middle_of_a_word_ends_the_turn_there() -> None:
    one = Talk(by_pauses=False)
    one.hear(talk(5.0)[: round(2.5 * SECOND)])
    one.flush()
    assert one.said == [("flushed", 0), ("settled", 0)]
    assert times(one.told, "flushed")[0] == pytest.approx((0.0, 2.5), abs=0.04)
    assert one.played.windows[-1].end == pytest.approx(2.5, abs=0.04)


def test_no_pause_ends_a_turn_that_waits_for_a_flush() -> None:
    one = Talk(by_pauses=False)
    one.hear(talk(10.0, 3.0, 10.0, 3.0))
    assert len(one.played.windows) == 2
    assert one.told == []
    one.flush()
    assert one.said == [("flushed", 0), ("settled", 0)]


def test_a_flush_without_a_word_settles_at_once_with_none() -> None:
    one = Talk()
    one.hear(talk(2.0, 2.0))
    words = one.played.text
    one.flush()
    assert one.said[-2:] == [("flushed", 1), ("settled", 1)]
    assert one.played.text == words


def test_a_turn_settles_only_when_its_words_are_read() -> None:
    one = Talk(by_pauses=False)
    one.told += one.turns.feed(talk(3.0))
    one.told += one.turns.flush()
    one.told += one.turns.feed(talk(3.0))
    one.told += one.turns.flush()
    assert one.said == [("flushed", 0), ("flushed", 1)]
    one.read()
    assert one.said[2:] == [("settled", 0), ("settled", 1)]


def test_the_end_settles_what_a_pause_did_not() -> None:
    one = Talk()
    one.hear(talk(2.0))
    one.finish()
    assert one.said == [("started", 0), ("ended", 0), ("settled", 0)]


def test_what_is_cleared_is_never_read_and_what_came_before_is() -> None:
    one = Talk(by_pauses=False)
    one.told += one.turns.feed(talk(3.0, 2.0))
    one.told += one.turns.flush()
    one.told += one.turns.feed(talk(4.0, 2.0))
    cleared = one.turns.clear()
    one.hear(talk(2.0, 2.0))
    one.flush()
    assert (cleared.said, cleared.number) == ("cleared", 1)
    assert (cleared.start, cleared.end) == pytest.approx((5.0, 11.0), abs=0.04)
    assert [(window.start, window.end) for window in one.played.windows] == [
        pytest.approx((0.0, 3.3), abs=0.1),
        pytest.approx((11.0, 13.3), abs=0.1),
    ]
    assert one.said == [("flushed", 0), ("settled", 0), ("flushed", 1), ("settled", 1)]


def test_what_an_engine_reads_while_it_is_cleared_is_not_told() -> None:
    one = Talk(by_pauses=False)
    one.turns.feed(talk(4.0))
    work = one.played.captioner.work()
    assert work is not None
    one.turns.clear()
    assert one.played.captioner.take(work, clockwork(work)).deltas == ()
    one.hear(talk(2.0, 2.0))
    one.flush()
    assert one.played.windows[0].start >= 4.0 - 0.04


def test_a_turn_that_was_cleared_can_begin_again() -> None:
    one = Talk()
    one.hear(talk(2.0))
    one.turns.clear()
    one.hear(talk(2.0, 1.0))
    assert one.said == [("started", 0), ("started", 0), ("ended", 0), ("settled", 0)]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 5 * SECOND), max_size=6))
def test_flushes_anywhere_lose_no_sound_and_read_none_twice(lengths: list[int]) -> None:
    samples = talk(6.0, 0.4, 5.0)
    one, at = Talk(by_pauses=False), 0
    for length in lengths:
        one.hear(samples[at : at + length])
        one.flush()
        at += length
    one.hear(samples[at:])
    one.finish()
    windows = one.played.windows
    assert all(before.end <= after.start for before, after in pairwise(windows))
    assert sum(end - start for window in windows for start, end in window.speech) == pytest.approx(11.0, abs=0.3)
    parts = (samples[round(window.start * SECOND) : round(window.end * SECOND)] for window in windows)
    assert one.played.text == joined(heard(as_floats(part)).text for part in parts)
