"""Turns and segments in, segments with speakers out: cut between words, and nothing lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from whisper_jobs.speech.diarizers.assign import assign
from whisper_jobs.speech.diarizers.base import Turn
from whisper_jobs.speech.transcript import Segment, Word

A, B = "SPEAKER_00", "SPEAKER_01"


def segment(text: str, *, start: float = 0.0, each: float = 0.5, pause: float = 0.0) -> Segment:
    """Its words take `each` seconds, with pauses between them."""
    words = []
    for word in text.split():
        words.append(Word(start, start + each, word))
        start += each + pause
    return Segment(words[0].start, words[-1].end, text, tuple(words))


def told(parts: tuple[Segment, ...]) -> list[tuple[str | None, str]]:
    return [(part.speaker, part.text) for part in parts]


def test_a_segment_is_cut_between_words_where_the_speaker_changes() -> None:
    said = segment("how are you I'm fine thanks")
    [parts] = assign([said], [Turn(0.0, 1.5, A), Turn(1.5, 3.0, B)])
    assert told(parts) == [(A, "how are you"), (B, "I'm fine thanks")]
    assert [(part.start, part.end) for part in parts] == [(0.0, 1.5), (1.5, 3.0)]


def test_a_segment_of_one_speaker_stays_as_it_was() -> None:
    said = segment("how are you")
    assert assign([said], [Turn(0.1, 1.4, A)]) == [(replace(said, speaker=A),)]


def test_a_word_goes_to_the_speaker_who_says_most_of_it() -> None:
    [parts] = assign([segment("one two three")], [Turn(0.0, 0.9, A), Turn(0.9, 1.5, B)])
    assert told(parts) == [(A, "one two"), (B, "three")]


def test_where_two_speak_at_once_the_one_who_was_speaking_goes_on() -> None:
    [parts] = assign([segment("a b c d e f")], [Turn(0.0, 3.0, A), Turn(1.0, 2.0, B)])
    assert told(parts) == [(A, "a b c d e f")]
    [parts] = assign([segment("a b c d e f")], [Turn(0.0, 2.0, A), Turn(1.0, 3.0, B)])
    assert told(parts) == [(A, "a b c d"), (B, "e f")]


def test_a_word_between_turns_goes_to_the_nearest_one_within_a_second() -> None:
    [parts] = assign([segment("so yes", start=2.0)], [Turn(0.0, 1.5, A), Turn(2.6, 4.0, B)])
    assert told(parts) == [(B, "so yes")]


def test_a_word_far_from_every_turn_is_the_one_s_who_spoke_before() -> None:
    turns = [Turn(0.0, 1.0, A), Turn(20.0, 21.0, B)]
    first, second = assign([segment("so yes"), segment("well then", start=9.0)], turns)
    assert [parts[0].speaker for parts in (first, second)] == [A, A]


def test_a_word_far_before_every_turn_is_the_one_s_who_speaks_next() -> None:
    first, second = assign([segment("early"), segment("and late", start=20.0)], [Turn(20.0, 21.0, B)])
    assert [parts[0].speaker for parts in (first, second)] == [B, B]


def test_a_single_word_in_one_breath_with_another_s_words_is_that_one_s() -> None:
    turns = [Turn(0.0, 1.0, A), Turn(1.0, 1.5, B), Turn(1.5, 3.0, A)]
    [parts] = assign([segment("I would say so too now")], turns)
    assert told(parts) == [(A, "I would say so too now")]


def test_a_single_word_between_pauses_keeps_its_speaker() -> None:
    turns = [Turn(0.0, 1.4, A), Turn(1.8, 2.4, B), Turn(2.7, 4.3, A)]
    [parts] = assign([segment("I see. Yes. Go on", pause=0.4)], turns)
    assert told(parts) == [(A, "I see."), (B, "Yes."), (A, "Go on")]


def test_a_segment_without_words_is_the_one_s_who_speaks_in_most_of_it() -> None:
    said = Segment(0.0, 10.0, "Nobody knows when each word was said.")
    assert assign([said], [Turn(0.0, 3.0, A), Turn(3.0, 6.0, B), Turn(6.5, 9.0, A)]) == [(replace(said, speaker=A),)]


def test_text_is_cut_as_it_was_written_in_scripts_without_spaces_too() -> None:
    words = (Word(0.0, 0.5, "你好"), Word(0.5, 1.0, "吗"), Word(1.0, 1.5, "我"), Word(1.5, 2.0, "很好"))
    said = Segment(0.0, 2.0, "你好吗?我很好。", words)
    [parts] = assign([said], [Turn(0.0, 1.0, A), Turn(1.0, 2.0, B)])
    assert told(parts) == [(A, "你好吗?"), (B, "我很好。")]


def test_words_that_differ_from_the_text_make_the_text_of_the_parts() -> None:
    words = (Word(0.0, 0.5, "twenty"), Word(0.5, 1.0, "two"), Word(1.0, 1.5, "yes"), Word(1.5, 2.0, "sir"))
    [parts] = assign([Segment(0.0, 2.0, "22. Yes sir.", words)], [Turn(0.0, 1.0, A), Turn(1.0, 2.0, B)])
    assert told(parts) == [(A, "twenty two"), (B, "yes sir")]


def test_without_turns_nobody_is_named() -> None:
    said = segment("how are you")
    assert assign([said], []) == [(said,)]


def test_hours_of_words_take_seconds() -> None:
    segments = [segment("one two three four five six seven eight nine ten", start=6.0 * place) for place in range(6000)]
    turns = [Turn(3.0 * place, 3.0 * place + 3.1, A if place % 2 else B) for place in range(12_000)]
    assert sum(map(len, assign(segments, turns))) == 12_000


times = st.floats(0.0, 60.0)
lengths = st.floats(0.0, 5.0)
speakers = st.sampled_from([A, B, "SPEAKER_02"])
all_turns = st.lists(st.builds(lambda at, long, who: Turn(at, at + long, who), times, lengths, speakers), max_size=12)
word_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=6)


@st.composite
def spoken(draw: st.DrawFn) -> list[Segment]:
    segments, clock = [], 0.0
    for _ in range(draw(st.integers(0, 4))):
        words = []
        for text in draw(st.lists(word_texts, max_size=8)):
            start = clock + draw(st.floats(0.0, 2.0))
            clock = start + draw(st.floats(0.0, 1.0))
            words.append(Word(start, clock, text))
        text = " ".join(word.text for word in words) if draw(st.booleans()) else "Something else."
        start, end = (words[0].start, words[-1].end) if words else (clock, clock + 1.0)
        segments.append(Segment(start, end, text, tuple(words)))
        clock = max(clock, end)
    return segments


@given(spoken(), all_turns)
def test_no_word_is_lost_moved_or_changed(segments: list[Segment], turns: list[Turn]) -> None:
    assigned = assign(segments, turns)
    assert len(assigned) == len(segments)
    for whole, parts in zip(segments, assigned, strict=True):
        assert tuple(word for part in parts for word in part.words) == whole.words
        assert (parts[0].start, parts[-1].end) == (whole.start, whole.end)
        assert all(before.end <= after.start for before, after in pairwise(parts))
        assert all(before.speaker != after.speaker for before, after in pairwise(parts))
    named = {part.speaker for parts in assigned for part in parts}
    assert named == {None} or named <= {turn.speaker for turn in turns}


@given(spoken(), all_turns)
def test_the_text_of_the_parts_is_the_text_of_the_whole(segments: list[Segment], turns: list[Turn]) -> None:
    for whole, parts in zip(segments, assign(segments, turns), strict=True):
        if whole.text == " ".join(word.text for word in whole.words) or len(parts) == 1:
            assert "".join("".join(part.text for part in parts).split()) == "".join(whole.text.split())
