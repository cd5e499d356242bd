"""Whatever is fed however, and whatever an engine answers: final words are only added, in order, and are the windows' words."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech.conftest import Pcm
from tests.speech.streaming.play import SECOND, Played, joined, play, session
from tests.speech.test_cut import sound
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.streaming.heard import Work
from whisper_jobs.speech.transcript import Segment, Word

runs = st.lists(st.tuples(st.booleans(), st.integers(1, 9 * SECOND)), max_size=5)
recordings = runs.map(sound)
pieces = st.lists(st.integers(0, 3 * SECOND), max_size=12)
chunks = st.sampled_from([0.5, 1.0, 5.0, 60.0])
texts = st.sampled_from(["so", "it", "So,", "goes", "…", "今", "日", "don't", "\N{PILE OF POO}", "مرحبا", " ", "a b"])
times = st.floats(-40, 40)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    spoken = draw(st.lists(texts, max_size=8))
    words = tuple(Word(draw(times), draw(times), text, draw(st.sampled_from([None, 0.5]))) for text in spoken)
    told = draw(st.sampled_from([joined(spoken), "something else", ""]))
    return Segment(draw(times), draw(times), told, words if draw(st.booleans()) else ())


answers = st.lists(st.lists(segments(), max_size=3), max_size=30)


def check(played: Played) -> None:
    finals = played.finals
    assert played.text == joined(each.text for window in played.windows for each in window.segments)
    position = 0.0
    for delta in finals:
        assert delta.text
        assert position <= delta.start <= delta.end
        position = delta.end
    assert all(0.0 <= delta.start <= delta.end <= played.captioner.seconds_heard for delta in played.deltas)
    position = 0.0
    for window in played.windows:
        assert position <= window.start < window.end <= played.captioner.seconds_heard
        assert all(window.start <= each.start <= each.end <= window.end for each in window.segments)
        position = window.end
    assert played.captioner.is_done
    assert played.captioner.lag == 0.0
    assert played.captioner.work() is None


def shown(played: Played) -> str:
    """What a page that follows the deltas shows in the end."""
    final, interim = "", ""
    for delta in played.deltas:
        final, interim = (joined((final, delta.text)), "") if delta.is_final else (final, delta.text)
    return joined((final, interim))


@settings(deadline=None, max_examples=40)
@given(recordings, pieces, chunks, answers)
def test_nonsense_of_an_engine_keeps_the_rules(
    samples: Pcm, pieces: Sequence[int], chunk_seconds: float, answers: list[list[Segment]]
) -> None:
    left = list(answers)

    def read(_work: Work) -> Result:
        return Result(tuple(left.pop(0)) if left else (), "en")

    played = play(samples, read, pieces=pieces, chunk_seconds=chunk_seconds)
    check(played)
    assert shown(played) == played.text


def test_a_word_that_ends_before_the_one_before_it_begins_leaves_its_segment_in_order() -> None:
    def one(start: float, text: str) -> Segment:
        return Segment(start, 0.0, text, ())

    left = [[one(0.0, "so"), one(0.0, "so")], [one(1.0, "so"), one(0.0, "so")], [one(0.0, "so")]]
    voice = sound([(True, 64763), (False, 4869)])
    played = play(voice, lambda _work: Result(tuple(left.pop(0)) if left else (), "en"), chunk_seconds=5.0)
    assert played.windows[0].segments
    check(played)


@settings(deadline=None, max_examples=40)
@given(recordings, pieces, pieces, chunks)
def test_words_do_not_depend_on_how_the_sound_was_fed(
    samples: Pcm, some: Sequence[int], others: Sequence[int], chunk_seconds: float
) -> None:
    first, second = (play(samples, pieces=each, chunk_seconds=chunk_seconds) for each in (some, others))
    check(first)
    assert first.text == second.text
    assert [(each.start, each.end) for each in first.windows] == [(each.start, each.end) for each in second.windows]


@settings(deadline=None, max_examples=40)
@given(recordings, st.lists(st.sampled_from(["take", "give up", "wait", "hurry"]), max_size=40))
def test_work_that_fails_or_waits_loses_no_word(samples: Pcm, doings: list[str]) -> None:
    whole, played = play(samples), session()
    for at, doing in enumerate(doings):
        played.captioner.feed(samples[at * SECOND // 2 : (at + 1) * SECOND // 2])
        work = played.captioner.work(hurried=doing == "hurry") if doing != "wait" else None
        if work is not None and doing == "give up":
            played.captioner.give_up(work)
        elif work is not None:
            played.heard.append(played.captioner.take(work, played.read(work)))
    played.captioner.feed(samples[len(doings) * SECOND // 2 :])
    played.captioner.finish()
    played.work()
    check(played)
    assert played.text == whole.text
