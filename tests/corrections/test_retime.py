"""The words of a corrected text: those that stay keep their times, and the others fit between them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from whisper_jobs.speech.correcting import Swap, Uncuttable, clean, cut, joined, moved, retime, reworded, words_of
from whisper_jobs.speech.differences import difference, shortened
from whisper_jobs.speech.transcript import Segment, Word, join_words

TOKENS = st.sampled_from(["a", "the", "über", "don't", "42", "语", "言", "שלום", "👩‍🚀", "—"])
TEXTS = st.lists(TOKENS, max_size=12).map(" ".join)


@st.composite
def segments(draw: st.DrawFn, worded: bool | None = None) -> Segment:
    """A segment as an engine tells one: its words in order, inside of it."""
    texts = draw(st.lists(TOKENS, min_size=1, max_size=12))
    start = draw(st.integers(0, 5000)) / 100
    times = [start]
    for _text in texts:
        times += [times[-1] + draw(st.integers(0, 50)) / 100]
        times += [times[-1] + draw(st.integers(1, 80)) / 100]
    has_words = draw(st.booleans()) if worded is None else worded
    words = tuple(Word(times[2 * at + 1], times[2 * at + 2], text, 0.5) for at, text in enumerate(texts))
    return Segment(start, times[-1], " ".join(texts), words if has_words else ())


def check(words: tuple[Word, ...], start: float, end: float) -> None:
    assert all(start <= word.start <= word.end <= end for word in words)
    assert all(one.start <= other.start for one, other in pairwise(words))


@given(segments(worded=True), TEXTS)
def test_words_are_those_of_the_text_in_order_and_inside(one: Segment, text: str) -> None:
    words = retime(one.words, text, one.start, one.end)
    assert [token for word in words for token in words_of(word.text)] == words_of(text)
    check(words, one.start, one.end)


@given(segments(worded=True), TEXTS, TEXTS)
def test_words_before_and_after_a_change_keep_their_times(one: Segment, before: str, after: str) -> None:
    # Where the same word stands on both sides of the change, either may be the one that stayed.
    assume(set(words_of(one.text)).isdisjoint(words_of(f"{before} {after}")))
    words = retime(one.words, f"{before} XX {one.text} YY {after}", one.start, one.end)
    places = {(word.start, word.end, word.text) for word in words}
    kept = sum((word.start, word.end, word.text) in places for word in one.words)
    assert kept == len(one.words)


@given(segments(worded=True), st.data())
def test_a_word_in_the_place_of_another_has_its_times(one: Segment, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(one.words) - 1))
    texts = [word.text for word in one.words]
    words = retime(one.words, " ".join([*texts[:at], "changed", *texts[at + 1 :]]), one.start, one.end)
    assert [(word.start, word.end) for word in words] == [(word.start, word.end) for word in one.words]
    assert words[at] == Word(one.words[at].start, one.words[at].end, "changed")


@given(segments(worded=True))
def test_the_same_text_changes_nothing(one: Segment) -> None:
    assert retime(one.words, one.text, one.start, one.end) == one.words
    assert reworded(one, one.text) == one


def test_words_of_several_characters_without_spaces_stay_whole() -> None:
    words = (Word(0.0, 1.0, "你好"), Word(1.0, 2.0, "世界"), Word(2.0, 3.0, "再见"))
    told = retime(words, "你好时间再见", 0.0, 3.0)
    assert (told[0], told[-1]) == (words[0], words[-1])
    assert "".join(word.text for word in told) == "你好时间再见"


def test_an_engine_without_words_gets_none() -> None:
    assert reworded(Segment(0.0, 1.0, "one two"), "three").words == ()
    assert reworded(Segment(0.0, 1.0, ""), "three").words == (Word(0.0, 1.0, "three"),)


def test_a_text_of_the_same_word_over_and_over_is_no_trap() -> None:
    words = tuple(Word(at / 10, at / 10 + 0.1, "a") for at in range(5000))
    told = retime(words, " ".join(["b", *["a b"] * 5000]), 0.0, 500.1)
    assert len(told) == 10_001


@given(segments(), st.data())
def test_both_sides_of_a_cut_are_the_whole(one: Segment, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(one.text)))
    left, right = one.text[:at].strip(), one.text[at:].strip()
    if not (left and right):
        with pytest.raises(Uncuttable):
            cut(one, at)
        return
    first, second = cut(one, at)
    assert (first.text, second.text) == (left, right)
    assert (first.start, second.end) == (one.start, one.end)
    assert first.start <= first.end <= second.start <= second.end
    check(first.words, first.start, first.end)
    check(second.words, second.start, second.end)
    for part in (first, second):
        assert "".join(word.text for word in part.words) == ("".join(part.text.split()) if one.words else "")


@given(st.lists(segments(), min_size=2, max_size=5))
def test_joined_segments_say_all_of_it(several: list[Segment]) -> None:
    one = joined(several)
    ordered = sorted(several, key=lambda each: each.start)
    text = ordered[0].text
    for other in ordered[1:]:
        text = join_words(text, other.text)
    assert one.text == text
    assert (one.start, one.end) == (ordered[0].start, max(each.end for each in several))
    check(one.words, one.start, one.end)
    if any(each.words for each in several):
        assert words_of(" ".join(word.text for word in one.words)) == words_of(" ".join(each.text for each in ordered))


@given(segments(), st.integers(0, 6000), st.integers(1, 3000))
def test_moved_segments_keep_their_words_inside(one: Segment, start: int, length: int) -> None:
    told = moved(one, start / 100, (start + length) / 100)
    assert (told.start, told.end, told.text) == (start / 100, (start + length) / 100, one.text)
    assert [word.text for word in told.words] == [word.text for word in one.words]
    check(told.words, told.start, told.end)


def test_words_that_fit_stay_where_they_were_heard() -> None:
    one = Segment(1.0, 4.0, "a b", (Word(1.5, 2.0, "a"), Word(2.0, 2.5, "b")))
    assert moved(one, 1.5, 2.5).words == one.words
    assert moved(one, 0.0, 9.0).words == one.words
    assert [word.start for word in moved(one, 11.0, 14.0).words] == [11.5, 12.0]


@given(st.text(max_size=60))
def test_texts_can_be_stored_and_are_one_line(text: str) -> None:
    told = clean(text)
    told.encode()
    assert "\0" not in told
    assert told == " ".join(told.split())
    assert clean(told) == told


@pytest.mark.parametrize(
    ("swap", "text", "told"),
    [
        (Swap("cat", "dog"), "Cat, concat, CAT", "dog, condog, dog"),
        (Swap("cat", "dog", match_case=True), "Cat, cat", "Cat, dog"),
        (Swap("cat", "dog", whole_words=True), "cat concat cat's", "dog concat dog's"),
        (Swap("$1.50", r"\g<0>"), "It is $1.50.", r"It is \g<0>."),
        (Swap("é", "e", whole_words=True), "café é", "café e"),
    ],
)
def test_find_and_replace(swap: Swap, text: str, told: str) -> None:
    assert swap(text) == told


@given(TEXTS, TEXTS)
def test_a_difference_has_both_texts(before: str, after: str) -> None:
    pieces = difference(before, after)
    assert words_of("".join(piece.text for piece in pieces if piece.kind != "new")) == words_of(before)
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after


def test_words_far_from_a_change_are_left_out() -> None:
    text = " ".join(f"w{at}" for at in range(50))
    pieces = shortened(difference(text, text.replace("w25 ", "x ")))
    assert [piece.kind for piece in pieces] == ["left_out", "same", "gone", "new", "same", "left_out"]
    assert pieces[1].text == "w17 w18 w19 w20 w21 w22 w23 w24 "
    assert pieces[4].text == "w26 w27 w28 w29 w30 w31 w32 w33 "
