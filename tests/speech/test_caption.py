"""Captions by rule: nothing is lost, and limits are kept where they can be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.reading_back import letters
from whisper_jobs.speech.captions import DASH, PAUSE_MS, PRESETS, Cue, Rules, captions
from whisper_jobs.speech.lines import width
from whisper_jobs.speech.pieces import clean
from whisper_jobs.speech.transcript import Segment, Word


def preset(name: str) -> Rules:
    found = PRESETS[name]
    assert found is not None
    return found


web, broadcast = preset("web"), preset("broadcast")
TALK = (
    "The train that leaves at nine is late again, because it snows in the north. We could take the bus, but nobody knows "
    "when it comes. So we wait, and while we wait we talk about the weather and about those who are late as well."
)

token = st.text(st.sampled_from("abcåé,.!?-—…'日本語、。「」ーだ中文ไท̈ \u200d👍"), max_size=14)
rules = st.builds(
    Rules,
    max_line=st.integers(10, 60),
    max_lines=st.integers(1, 4),
    max_cps=st.floats(5, 40),
    min_seconds=st.floats(0.1, 1.5),
    max_seconds=st.floats(1.5, 10),
    gap_seconds=st.floats(0, 0.5),
)


@st.composite
def talks(draw: st.DrawFn) -> tuple[Segment, ...]:
    """Segments with words in order, of some of which the engine tells no words, and some of which overlap."""
    at, segments = 0.0, []
    for _ in range(draw(st.integers(0, 5))):
        words = []
        start = at
        for text in draw(st.lists(token, max_size=25)):
            end = at + draw(st.sampled_from([0.0, 0.05, 0.2, 0.4, 3.0]))
            words.append(Word(at, end, text))
            at = end + draw(st.sampled_from([0.0, 0.0, 0.1, 0.5, 2.0]))
        told = tuple(words) if draw(st.booleans()) else ()
        speaker = draw(st.sampled_from([None, "A", "B"]))
        segments.append(Segment(start, at, " ".join(word.text for word in words), told, speaker))
        at = max(0.0, at - draw(st.sampled_from([0.0, 0.0, 1.0])))
    return tuple(segments)


def shown(segments: Iterable[Segment], asked: Rules | None, *, speakers: bool = True) -> list[Cue]:
    return list(captions(segments, asked, speakers=speakers))


def texts(cues: Iterable[Cue]) -> list[list[str]]:
    return [[line.text for line in cue.lines] for cue in cues]


def talk(text: str = TALK, *, speaker: str | None = None, start: float = 0.0, each: float = 0.3) -> Segment:
    """A segment of words of one length, said without pause."""
    words = [Word(start + each * n, start + each * (n + 1), f" {word}") for n, word in enumerate(text.split())]
    return Segment(start, words[-1].end, text, tuple(words), speaker)


@given(talks(), rules)
def test_no_letter_is_lost_doubled_or_moved(segments: tuple[Segment, ...], asked: Rules) -> None:
    lines = (line for cue in shown(segments, asked) for line in cue.lines)
    said = letters("".join(piece.text for piece in line.pieces) for line in lines)
    assert said == letters(clean(segment.text) for segment in segments)


@given(talks(), rules)
def test_no_word_is_split_where_words_have_spaces(segments: tuple[Segment, ...], asked: Rules) -> None:
    spaced = [word for segment in segments for word in clean(segment.text).split() if word.isascii()]
    found = [word for lines in texts(shown(segments, asked, speakers=False)) for line in lines for word in line.split()]
    assert [word for word in found if word.isascii() and word in spaced] or not spaced
    for word in spaced:
        assert any(word in one for one in found)


@given(talks(), rules)
def test_captions_follow_each_other_with_a_gap(segments: tuple[Segment, ...], asked: Rules) -> None:
    cues = shown(segments, asked)
    assert all(cue.start_ms < cue.end_ms for cue in cues)
    assert all(after.start_ms - before.end_ms >= round(asked.gap_seconds * 1000) for before, after in pairwise(cues))
    assert all(cue.end_ms - cue.start_ms <= round(asked.max_seconds * 1000) for cue in cues)


@given(talks(), rules)
def test_lines_are_no_wider_and_no_more_than_asked(segments: tuple[Segment, ...], asked: Rules) -> None:
    for cue in shown(segments, asked):
        assert len(cue.lines) <= asked.max_lines
        for line in cue.lines:
            assert width(line.text) <= asked.max_line or len(line.pieces) == 1


@given(talks(), rules)
def test_a_caption_is_as_short_or_as_fast_as_it_is_only_for_the_next_one(
    segments: tuple[Segment, ...], asked: Rules
) -> None:
    cues = shown(segments, asked)
    gap = round(asked.gap_seconds * 1000)
    for cue, following in zip_longest(cues, cues[1:]):
        length = cue.end_ms - cue.start_ms
        reading = 1000 * sum(width(line.text) for line in cue.lines) / asked.max_cps
        wanted = min(max(asked.min_seconds * 1000, reading), asked.max_seconds * 1000)
        is_pushed = following is not None and following.start_ms - cue.end_ms <= gap + 1
        assert length >= wanted - 2 or is_pushed


@given(talks(), rules)
def test_a_caption_is_said_by_one_speaker_or_has_a_dash_for_each(segments: tuple[Segment, ...], asked: Rules) -> None:
    for cue in shown(segments, asked):
        speakers = [line.speaker for line in cue.lines]
        assert len(set(speakers)) == 1 or (len(speakers) == 2 and all(line.text.startswith(DASH) for line in cue.lines))


@given(talks())
def test_as_they_are_segments_stay_whole(segments: tuple[Segment, ...]) -> None:
    told = [letters([clean(segment.text)]) for segment in segments if clean(segment.text)]
    assert [letters(lines) for lines in texts(shown(segments, None))] == told


def test_lines_break_at_clauses_and_are_alike_in_length() -> None:
    assert texts(shown([talk()], broadcast)) == [
        ["The train that leaves at nine is late", "again, because it snows in the north."],
        ["We could take the bus,", "but nobody knows when it comes."],
        ["So we wait, and while we wait", "we talk about the weather"],
        ["and about those who are late as well."],
    ]


def test_what_fits_in_one_line_is_one_line() -> None:
    assert texts(shown([talk("All of this fits in a single line.")], web)) == [["All of this fits in a single line."]]


def test_a_pause_ends_a_caption() -> None:
    first, second = talk("One."), talk("Two.", start=0.31 + PAUSE_MS / 1000)
    assert texts(shown([first, second], web)) == [["One."], ["Two."]]
    assert texts(shown([first, replace(second, start=0.4, words=(Word(0.4, 0.7, "Two."),))], web)) == [["One. Two."]]


def test_a_new_speaker_has_a_new_caption_with_a_dash() -> None:
    segments = [talk(speaker="A"), talk("I would rather walk than wait.", speaker="B", start=13)]
    cues = shown(segments, web)
    assert texts(cues)[-1] == ["- I would rather walk than wait."]
    assert not any(line.startswith(DASH) for lines in texts(cues)[:-1] for line in lines)
    assert not any(line.startswith(DASH) for lines in texts(shown(segments, web, speakers=False)) for line in lines)


def test_a_short_exchange_shares_a_caption() -> None:
    segments = [talk("Late again?", speaker="A"), talk("Yes, again.", speaker="B", start=0.65)]
    assert texts(shown(segments, web)) == [["- Late again?", "- Yes, again."]]


def test_a_short_caption_shows_as_long_as_it_takes_to_read() -> None:
    assert [(cue.start_ms, cue.end_ms) for cue in shown([talk("No!", each=0.1)], broadcast)] == [(0, 1000)]
    words = "Incomprehensibilities notwithstanding, internationalisation"
    [cue] = shown([talk(words, each=0.1)], broadcast)
    assert cue.end_ms == round(1000 * len(words.replace(", ", ",")) / 17)


def test_times_are_those_of_the_words() -> None:
    first, second = shown([talk("He came late.", each=0.5), talk("She left.", start=4.0, each=0.7)], web)
    assert (first.start_ms, first.end_ms) == (0, 1500)
    assert (second.start_ms, second.end_ms) == (4000, 5400)


def test_a_word_longer_than_a_line_stays_whole() -> None:
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    assert texts(shown([talk(f"Die {word} tagt.", each=1)], web)) == [["Die", word], ["tagt."]]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "我们今天讨论的是语音识别技术的发展，特别是在中文环境下的应用。",
            ["我们今天讨论的是语音识别技术的发展，", "特别是在中文环境下的应用。"],
        ),
        (
            "日本語の字幕は、改行の規則があります。そして「カギ括弧」も守られます。",
            ["日本語の字幕は、改行の規則があります。", "そして「カギ括弧」も守られます。"],
        ),
    ],
)
def test_scripts_without_spaces_break_at_their_marks(text: str, lines: list[str]) -> None:
    assert texts(shown([Segment(0, 6, text)], web)) == [lines]


def test_scripts_without_spaces_break_between_the_engines_words() -> None:
    words = ["今日は", "とても", "良い", "天気", "ですので", "散歩に", "出かけ", "ましょう"]
    timed = tuple(Word(n, n + 0.9, word) for n, word in enumerate(words))
    lines = [
        line
        for lines in texts(shown([Segment(0, 8, "".join(words), timed)], replace(web, max_line=16)))
        for line in lines
    ]
    ends = {"".join(words[:n]) for n in range(len(words) + 1)}
    assert len(lines) > 2
    assert all("".join(lines[:n]) in ends for n in range(len(lines)))


def test_no_line_begins_with_a_mark_that_closes() -> None:
    text = "「はい」、" * 12
    for lines in texts(shown([Segment(0, 20, text)], replace(web, max_line=12))):
        assert not any(line[0] in "」、" or line[-1] == "「" for line in lines)


def test_a_title_ends_no_sentence() -> None:
    [lines] = texts(shown([talk("Yesterday the people there saw Dr. Miller and his wife.")], broadcast))
    assert not lines[0].endswith("Dr.")
