"""Sound is fed, work is read, words are told: each once, in order, and what is final stays."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tests.clockwork import heard
from tests.speech.conftest import Pcm
from tests.speech.noises import NOISES
from tests.speech.streaming.play import SECOND, Played, clockwork, joined, play, segment, session
from tests.speech.test_cut import sound
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.streaming.captioner import Captioner
from whisper_jobs.speech.streaming.heard import Heard
from whisper_jobs.speech.streaming.utterances import LONGEST_SECONDS, SETTLED_SECONDS
from whisper_jobs.speech.windows import as_floats


def talk(*seconds: float) -> Pcm:
    """Speech and silence in turns, beginning with speech."""
    return sound([(at % 2 == 0, round(length * SECOND)) for at, length in enumerate(seconds)])


def words_of_windows(samples: Pcm, played: Played) -> str:
    """What the clockwork says of the sound in the windows, each read once as a whole."""
    cut = (samples[round(window.start * SECOND) : round(window.end * SECOND)] for window in played.windows)
    return joined(heard(as_floats(part)).text for part in cut)


def test_words_become_final_while_an_utterance_goes_on() -> None:
    samples = talk(8.0)
    played = session()
    played.captioner.feed(samples[: 3 * SECOND])
    played.work()
    played.captioner.feed(samples[3 * SECOND : 5 * SECOND])
    played.work()
    assert played.windows == []
    [final] = played.finals
    assert final.text.split() == heard(as_floats(samples)).text.split()[: len(final.words)]
    assert played.deltas[-1].is_final is False


@pytest.mark.parametrize("chunk_seconds", [0.5, 1.0, 2.0, 5.0, 60.0])
def test_the_final_words_are_those_of_the_windows_each_once(chunk_seconds: float) -> None:
    samples = talk(4.2, 1.3, 0.7, 2.0, 9.1, 0.65, 3.3, 0.4, 8.0, 3.0, 31.7, 1.0, 2.2)
    played = play(samples, chunk_seconds=chunk_seconds)
    assert played.text == words_of_windows(samples, played)
    assert played.text == joined(each.text for window in played.windows for each in window.segments)


def test_two_minutes_without_a_pause_are_cut_without_a_loss() -> None:
    samples = talk(120.0)
    played = play(samples, chunk_seconds=1.0)
    assert played.text == words_of_windows(samples, played)
    assert len(played.windows) >= 120 / LONGEST_SECONDS
    assert max(len(work.samples) / SECOND for work in played.works) <= LONGEST_SECONDS
    for before, after in zip(played.windows, played.windows[1:], strict=False):
        assert after.start == before.end
        assert before.end - before.start >= SETTLED_SECONDS


def test_windows_hold_all_speech() -> None:
    samples = talk(4.2, 1.3, 2.7, 2.0, 9.1, 0.65, 3.3)
    spans = [span for window in play(samples).windows for span in window.speech]
    assert sum(end - start for start, end in spans) == pytest.approx(4.2 + 2.7 + 9.1 + 3.3, abs=0.3)


def test_an_utterance_ends_with_a_pause_long_before_the_next_chunk() -> None:
    played = session(chunk_seconds=60.0)
    played.captioner.feed(talk(2.0, 1.5))
    played.work()
    assert [work.is_final for work in played.works] == [True]
    assert played.windows[0].end == pytest.approx(2.3, abs=0.05)


def test_a_short_pause_ends_a_long_utterance_and_no_short_one() -> None:
    long, short = play(talk(9.0, 0.8, 3.0)), play(talk(3.0, 0.8, 3.0))
    assert (len(long.windows), len(short.windows)) == (2, 1)


@pytest.mark.parametrize(("chunk_seconds", "apart"), [(0.5, 0.5), (1.0, 0.5), (2.0, 1.5), (3.0, 2.2)])
def test_reads_are_less_than_a_chunk_apart(chunk_seconds: float, apart: float) -> None:
    works = [work for work in play(talk(9.0), chunk_seconds=chunk_seconds).works if not work.is_final]
    ends = [work.end for work in works]
    assert np.diff(ends) == pytest.approx(np.full(len(ends) - 1, apart), abs=0.2)
    assert len(ends) == pytest.approx(9.0 / apart, abs=1.5)


def test_a_pause_is_read_sooner_and_its_last_word_is_whole() -> None:
    played = session(lambda work: Result((segment("so", "it", "goes"),), "en"), chunk_seconds=2.0)
    samples = talk(1.8, 0.7)
    for at in range(0, len(samples), SECOND // 8):
        played.captioner.feed(samples[at : at + SECOND // 8])
        played.work()
    assert [work.is_final for work in played.works] == [False, False]
    assert played.text == "so it goes"
    assert played.windows == []


def test_one_work_is_out_at_a_time() -> None:
    captioner = session().captioner
    captioner.feed(talk(3.0, 2.0, 3.0, 2.0))
    assert captioner.work() is not None
    assert captioner.work() is None


def test_who_is_behind_reads_whole_utterances_only() -> None:
    samples = talk(4.0, 2.0, 4.0)
    played = play(samples, hurried=True)
    assert [work.is_final for work in played.works] == [True, True]
    assert played.text == words_of_windows(samples, played)


def test_what_was_given_up_is_due_again() -> None:
    captioner = session().captioner
    captioner.feed(talk(2.0))
    first = captioner.work()
    assert first is not None
    captioner.give_up(first)
    again = captioner.work()
    assert again is not None
    assert np.array_equal(again.samples, first.samples)
    captioner.feed(talk(0.5, 2.0))
    captioner.give_up(again)
    whole = captioner.work()
    assert whole is not None
    captioner.give_up(whole)
    same = captioner.work()
    assert whole.is_final and same is not None and same.is_final
    assert np.array_equal(same.samples, whole.samples)


def test_an_answer_that_comes_too_late_tells_nothing() -> None:
    played = session()
    played.captioner.feed(talk(2.0))
    first = played.captioner.work()
    assert first is not None
    played.captioner.give_up(first)
    assert played.captioner.take(first, clockwork(first)) == Heard()
    played.work()
    assert played.captioner.take(first, clockwork(first)) == Heard()
    assert played.deltas


def test_an_utterance_may_end_while_it_is_being_read() -> None:
    samples = talk(3.0, 2.0)
    played = session()
    played.captioner.feed(samples[: 2 * SECOND])
    played.work()
    played.captioner.feed(samples[2 * SECOND : 3 * SECOND])
    work = played.captioner.work()
    assert work is not None and not work.is_final
    played.captioner.feed(samples[3 * SECOND :])
    played.heard.append(played.captioner.take(work, clockwork(work)))
    played.work()
    assert played.text == words_of_windows(samples, played)


def test_the_end_comes_in_the_middle_of_a_word() -> None:
    played = session()
    played.captioner.feed(talk(1.4))
    assert not played.captioner.is_done
    played.captioner.finish()
    assert not played.captioner.is_done
    played.work()
    assert played.captioner.is_done
    assert played.windows[0].end == pytest.approx(1.4, abs=0.01)
    played.captioner.finish()
    assert played.captioner.work() is None


def test_nothing_can_be_fed_behind_the_end() -> None:
    captioner = session().captioner
    captioner.finish()
    assert captioner.is_done
    with pytest.raises(ValueError, match="finished"):
        captioner.feed(talk(1.0))


def test_words_that_turned_out_to_be_none_are_taken_back() -> None:
    answers = [Result((segment("hello"),), "en"), Result((), "en")]
    played = session(lambda _work: answers.pop(0))
    played.captioner.feed(talk(1.8))
    played.work()
    played.captioner.feed(talk(0.1, 2.0)[: 2 * SECOND])
    played.work()
    assert [(delta.text, delta.is_final) for delta in played.deltas] == [("hello", False), ("", False)]
    assert [window.segments for window in played.windows] == [()]


def test_the_same_interim_words_are_told_once() -> None:
    played = play(talk(6.0), lambda work: Result((segment("well"),), "en"))
    assert [delta.text for delta in played.deltas] == ["well", "well"]
    assert [delta.is_final for delta in played.deltas] == [False, True]


def test_what_is_told_has_the_time_of_the_session() -> None:
    played = play(talk(0.0, 7.0, 3.0), lambda work: Result((segment("one", "two"),), "sv", 0.8))
    [window] = played.windows
    assert window.start == pytest.approx(6.7, abs=0.05)
    assert (window.language, window.language_probability) == ("sv", 0.8)
    assert [word.start - window.start for word in window.segments[0].words] == pytest.approx([0.0, 0.3])
    final = played.finals[-1]
    assert window.start <= final.start <= final.end <= window.end
    assert final.confidence == pytest.approx(0.9)


def test_an_engine_without_words_or_probabilities_is_heard_as_well() -> None:
    whole = segment("one", "two", "three")
    bare = replace(whole, words=(), probability=None)
    played = play(talk(5.0), lambda work: Result((bare,), "en"))
    assert played.text == "one two three"
    assert {delta.confidence for delta in played.deltas} == {0.0}


def test_lag_is_speech_that_nobody_has_read() -> None:
    played = session()
    played.captioner.feed(talk(0.0, 20.0))
    assert played.captioner.lag == 0.0
    played.captioner.feed(talk(4.0, 2.0, 3.0))
    assert played.captioner.lag == pytest.approx(7.0, abs=0.3)
    played.work()
    assert played.captioner.lag < 0.3
    assert played.captioner.seconds_heard == pytest.approx(29.0)


def test_what_is_before_seconds_final_is_done_with() -> None:
    played = session()
    played.captioner.feed(talk(0.0, 10.0))
    assert played.captioner.seconds_final == pytest.approx(9.7, abs=0.3)
    played.captioner.feed(talk(3.0, 2.0, 1.5))
    assert played.captioner.seconds_final == pytest.approx(9.7, abs=0.05)
    played.work()
    assert played.captioner.seconds_final == pytest.approx(14.7, abs=0.05)
    played.captioner.finish()
    played.work()
    assert played.captioner.seconds_final == played.captioner.seconds_heard == 16.5


def test_hours_of_silence_cost_no_work_and_no_memory() -> None:
    captioner = Captioner(chunk_seconds=0.5)
    minute = np.zeros(60 * SECOND, np.int16)
    captioner.feed(minute)
    tracemalloc.start()
    try:
        for _ in range(60):
            captioner.feed(minute)
            assert captioner.work() is None
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()
    captioner.finish()
    assert captioner.is_done


def test_memory_does_not_grow_with_what_was_read() -> None:
    played = session()
    tracemalloc.start()
    try:
        for _ in range(200):
            played.captioner.feed(talk(4.0, 1.0))
            while (work := played.captioner.work()) is not None:
                played.captioner.take(work, clockwork(work))
        assert tracemalloc.get_traced_memory()[0] < 2 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", NOISES)
def test_sounds_without_speech_are_not_read(name: str) -> None:
    captioner = Captioner(chunk_seconds=0.5)
    samples = NOISES[name](30.0)
    for at in range(0, len(samples), SECOND // 4):
        captioner.feed(samples[at : at + SECOND // 4])
        assert captioner.work() is None
    captioner.finish()
    assert captioner.is_done


def test_what_was_read_is_a_window_even_if_the_detector_was_not_sure_of_it() -> None:
    """A cut may leave so little of an utterance that it would be taken for a noise."""
    played = play(
        talk(0.15, 0.5, 0.15, 0.5, 0.15, 5.0), lambda work: Result((segment("a", "b", "c"),), "en"), chunk_seconds=0.5
    )
    assert played.text == joined(each.text for window in played.windows for each in window.segments)
