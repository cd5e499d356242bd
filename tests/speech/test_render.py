"""What a format writes can be read back, whatever was said."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.reading_back import (
    cues,
    in_milliseconds,
    letters,
    of,
    read_csv,
    rendered,
    said,
    text_of_json,
    without_tags,
    written,
)
from whisper_jobs.speech.captions import PRESETS
from whisper_jobs.speech.formats import FORMATS, FormatOptions, clock
from whisper_jobs.speech.pieces import clean
from whisper_jobs.speech.transcript import Decoding, Segment, Transcript, Word

seconds = st.floats(min_value=0, max_value=2_000_000, allow_nan=False)
#: Half surrogate pairs and all.
anything = st.text(st.characters(exclude_categories=()), max_size=40)
words = st.builds(Word, seconds, seconds, anything, st.none() | st.floats())
spoken = st.builds(
    Segment, seconds, seconds, anything, words=st.lists(words, max_size=3).map(tuple), speaker=st.none() | anything
)
transcripts = st.builds(
    Transcript, st.lists(spoken, max_size=8).map(tuple), st.none() | st.just("sv"), st.none() | st.floats()
)
HOSTILE = [
    "<script>alert(1)</script>",
    "00:00:01,000 --> 00:00:02,000",
    "a\0b\x01\x1b[31m",
    "half \ud83d of a pair",
    "\u202eright to left\u202c",
    "NOTE\n\nSTYLE",
    "]]> & &amp; <v Eve> {\\an8}",
    "=cmd|' /C calc'!A0",
    "# [a](javascript:x) `b` **c**",
    "\ufeff\u2028\u2029\x85\x0b",
]


def with_text(transcript: Transcript) -> list[Segment]:
    return [segment for segment in transcript.segments if clean(segment.text)]


@given(st.integers(min_value=0, max_value=10**12))
def test_a_clock_reads_back_to_the_millisecond(milliseconds: int) -> None:
    assert in_milliseconds(clock(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("at", "told"),
    [(0, "00:00:00,000"), (59.9996, "00:01:00,000"), (3599.9994, "00:59:59,999"), (360_000.5, "100:00:00,500")],
)
def test_times_are_rounded_before_they_are_split(at: float, told: str) -> None:
    assert f"\n{told} --> " in rendered("srt", of(Segment(at, at + 1, "x")))


@given(transcripts, st.sampled_from(["srt", "vtt"]), st.booleans())
def test_every_segment_with_text_is_one_cue_that_reads_back(transcript: Transcript, name: str, named: bool) -> None:
    found = cues(rendered(name, transcript, FormatOptions(speakers=named)))
    segments = with_text(transcript)
    assert len(found) == len(segments)
    for cue, segment in zip(found, segments, strict=True):
        assert cue.start >= round(segment.start * 1000)
        assert cue.end > cue.start
        text = letters(map(without_tags, cue.lines) if name == "vtt" else cue.lines)
        assert text.endswith(letters([clean(segment.text)]).replace("-->", "→" if name == "srt" else "-->"))
    assert [cue.start for cue in found] == sorted(cue.start for cue in found)


@given(transcripts)
def test_srt_counts_its_cues_from_one(transcript: Transcript) -> None:
    blocks = [block for block in rendered("srt", transcript).split("\n\n") if block.strip()]
    assert [block.split("\n")[0] for block in blocks] == [str(n) for n in range(1, len(with_text(transcript)) + 1)]


@given(transcripts)
def test_vtt_has_no_markup_but_its_own(transcript: Transcript) -> None:
    text = rendered("vtt", transcript)
    assert text.startswith("WEBVTT\n\n")
    for cue in cues(text):
        tags = re.findall("<[^>]*>", "".join(cue.lines))
        assert len(tags) <= 1 and all(tag.startswith("<v ") for tag in tags)
        assert "<" not in re.sub("<[^>]*>", "", "".join(cue.lines))


def test_vtt_names_its_speakers_and_can_leave_them_out() -> None:
    dialogue = of(Segment(0, 1, "Yes?", speaker="A & B"))
    assert "<v A &amp; B>Yes?" in rendered("vtt", dialogue)
    assert rendered("vtt", dialogue, FormatOptions(speakers=False)).splitlines()[-2] == "Yes?"


@pytest.mark.parametrize("speaker", ["--", "A ---", "-->"])
def test_vtt_has_no_arrow_from_a_speakers_name(speaker: str) -> None:
    told = rendered("vtt", of(Segment(0.0, 1.0, "Yes?", speaker=speaker)))
    assert [line for line in told.splitlines() if "-->" in line] == ["00:00:00.000 --> 00:00:01.000"]
    assert html.unescape(told.splitlines()[-2]) == f"<v {speaker}>Yes?"


def test_vtt_can_tell_the_time_of_each_word() -> None:
    said_slowly = of(Segment(1, 3, "Oh, no!", words=(Word(1, 1.4, " Oh,"), Word(2.0004, 3, " no!"))))
    told = rendered("vtt", said_slowly, FormatOptions(words=True)).splitlines()
    assert told[3] == "<c>Oh,</c> <00:00:02.000><c>no!</c>"


@given(transcripts)
def test_times_of_words_lie_within_their_cue_in_order(transcript: Transcript) -> None:
    for cue in cues(rendered("vtt", transcript, FormatOptions(words=True, rules=PRESETS["web"]))):
        inner = [in_milliseconds(told) for told in re.findall(r"<(\d[\d:.]+)>", "\n".join(cue.lines))]
        assert all(earlier < later for earlier, later in zip([cue.start, *inner], [*inner, cue.end], strict=True))


@given(transcripts)
def test_tsv_reads_back_with_whole_milliseconds(transcript: Transcript) -> None:
    head, *rows = rendered("tsv", transcript).removesuffix("\n").split("\n")
    assert head == "start\tend\ttext"
    expected = [[str(round(s.start * 1000)), str(round(s.end * 1000)), clean(s.text)] for s in with_text(transcript)]
    read = [row.split("\t") for row in rows]
    assert not [row for row in read if row[2].startswith(tuple("=+-@"))]
    # An apostrophe stands before what a spreadsheet would run.
    assert [[*times, text.removeprefix("'")] for *times, text in read] == [
        [*times, text.removeprefix("'")] for *times, text in expected
    ]


@given(transcripts)
def test_csv_reads_back_and_no_cell_is_a_formula(transcript: Transcript) -> None:
    rows = read_csv(written("csv", transcript))
    segments = with_text(transcript)
    assert len(rows) == len(segments)
    for row, segment in zip(rows, segments, strict=True):
        assert not row["text"].startswith(tuple("=+-@\t\r")) and not row["speaker"].startswith(tuple("=+-@\t\r"))
        assert row["text"].removeprefix("'") == clean(segment.text).removeprefix("'")
        assert math.isclose(float(row["start"]), segment.start, abs_tol=0.0006)


def test_csv_without_speakers_has_no_column_for_them() -> None:
    dialogue = of(Segment(0, 1, "Yes?", speaker="A"))
    assert read_csv(written("csv", dialogue)) == [{"speaker": "A", "start": "0.000", "end": "1.000", "text": "Yes?"}]
    assert list(read_csv(written("csv", dialogue, FormatOptions(speakers=False)))[0]) == ["start", "end", "text"]


@given(transcripts)
def test_json_loses_nothing(transcript: Transcript) -> None:
    read = json.loads(written("json", transcript))
    segments = list(transcript.segments)
    assert (read["language"], len(read["segments"])) == (transcript.language, len(segments))
    for each, segment in zip(read["segments"], segments, strict=True):
        assert math.isclose(each["start"], segment.start, abs_tol=0.0006)
        assert math.isclose(each["end"], segment.end, abs_tol=0.0006)
        assert len(each["words"]) == len(segment.words)
        assert all(set(word) == {"word", "start", "end", "probability"} for word in each["words"])
    if all(segment.text.isascii() for segment in segments):
        assert [each["text"] for each in read["segments"]] == [segment.text for segment in segments]
        assert "".join(read["text"].split()) == "".join("".join(segment.text.split()) for segment in segments)


def test_json_text_is_the_text_with_its_paragraphs() -> None:
    read = json.loads(rendered("json", of(Segment(0, 1, "One."), Segment(1, 2, "Two."), Segment(9, 10, "Three."))))
    assert read["text"] == "One. Two.\n\nThree."
    assert read["duration"] == 10.0


@given(transcripts)
def test_verbose_json_has_every_key_of_openai_with_a_value_of_its_type(transcript: Transcript) -> None:
    read = json.loads(written("verbose_json", transcript))
    assert set(read) == {"task", "language", "duration", "text", "segments", "words"}
    assert isinstance(read["duration"], float) and isinstance(read["language"], str)
    assert len(read["words"]) == sum(len(segment.words) for segment in transcript.segments)
    kinds: dict[str, Any] = {
        "id": int, "seek": int, "start": float, "end": float, "text": str, "tokens": list, "temperature": float,
        "avg_logprob": float, "compression_ratio": float, "no_speech_prob": float,
    }  # fmt: skip
    for each in read["segments"]:
        assert {name: type(value) for name, value in each.items()} == kinds


def test_verbose_json_tells_what_the_engine_told() -> None:
    known = Segment(1, 2, "Hej hej.", (Word(1, 2, "Hej"),), decoding=Decoding(0.2, -0.31, 1.1, 0.05))
    guessed = Segment(2, 3, "Hej hej.", probability=0.5)
    read = json.loads(written("verbose_json", Transcript([known, guessed], "sv", 3.0)))
    assert (read["task"], read["language"], read["text"]) == ("transcribe", "swedish", "Hej hej. Hej hej.")
    told = ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob")
    assert [read["segments"][0][name] for name in told] == [0.2, -0.31, 1.1, 0.05]
    assert [read["segments"][1][name] for name in told] == [0.0, -0.6931, 0.5, 0.0]
    assert read["words"] == [{"word": "Hej", "start": 1, "end": 2}]


def test_txt_parts_paragraphs_by_an_empty_line_and_names_speakers() -> None:
    assert rendered("txt", of(Segment(0, 1, "One."), Segment(1, 2, "Two."), Segment(5, 6, "Three."))) == (
        "One. Two.\n\nThree.\n"
    )
    dialogue = of(Segment(0, 1, "Yes?", speaker="A"), Segment(1, 2, "No.", speaker="B"))
    assert rendered("txt", dialogue) == "A: Yes?\n\nB: No.\n"
    assert rendered("txt", dialogue, FormatOptions(speakers=False)) == "Yes? No.\n"


def test_markdown_has_title_facts_and_clocks() -> None:
    meeting = Transcript([Segment(3661.9, 3663, "Yes?", speaker="A")], "en", 3700.4, "Board", date(2026, 11, 21), True)
    assert rendered("markdown", meeting).split("\n\n") == [
        "# Board",
        "*2026-11-21 · 1:01:40*",
        "**Draft quality: expect wrong words, names and numbers most of all.**",
        "`1:01:01` **A:** Yes?",
        "",
    ]


def test_markdown_text_is_no_markup() -> None:
    told = rendered("markdown", of(Segment(0, 1, "<b> [a](b) `c` *d* _e_ # f | ~g~ &amp;")))
    assert told == "*0:00:10*\n\n`0:00:00` \\<b\\> \\[a\\](b) \\`c\\` \\*d\\* \\_e\\_ \\# f \\| \\~g\\~ \\&amp;\n\n"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.is_text])
def test_no_text_breaks_a_file(name: str, text: str) -> None:
    hostile = Transcript([Segment(0, 1, text, speaker=text), Segment(1, 2, "after")], "en", 2.0, text)
    told = rendered(name, hostile, FormatOptions(rules=PRESETS["web"] if name in ("srt", "vtt") else None))
    assert "after" in told
    assert not set(told) & {"\0", "\x01", "\x1b"}
    if name in ("srt", "vtt"):
        assert len(cues(told)) <= 2
        assert "after" in without_tags(" ".join(cues(told)[-1].lines))
    if name == "csv":
        assert read_csv(told.encode())[-1]["text"] == "after"
    if name.endswith("json"):
        assert json.loads(told)["segments"][-1]["text"] == "after"


@given(transcripts)
def test_plain_formats_hold_every_letter(transcript: Transcript) -> None:
    assert letters([rendered("txt", transcript, FormatOptions(speakers=False))]) == said(transcript)
    if all(segment.text.isascii() for segment in transcript.segments):
        assert text_of_json(written("verbose_json", transcript)) == letters(s.text for s in transcript.segments)


@pytest.mark.parametrize("name", ["txt", "markdown", "srt", "vtt", "json", "verbose_json", "csv", "tsv"])
@pytest.mark.parametrize("preset", ["plain", "web"])
def test_a_lazy_transcript_is_written_while_it_is_read(name: str, preset: str) -> None:
    read = 0

    def endless() -> Iterator[Segment]:
        nonlocal read
        while True:
            read += 1
            yield Segment(read * 10, read * 10 + 1, f"Sentence {read}.")

    pieces = FORMATS[name].render(Transcript(endless(), "en", None), FormatOptions(rules=PRESETS[preset]))
    told = ""
    while "Sentence 50." not in told:
        told += next(pieces).decode()
    assert read <= 54


def test_every_format_says_how_it_is_served() -> None:
    assert set(FORMATS) == {"txt", "docx", "pdf", "markdown", "srt", "vtt", "json", "verbose_json", "csv", "tsv"}
    assert all(form.extension.startswith(".") and "/" in form.content_type for form in FORMATS.values())
    assert len({form.extension for form in FORMATS.values()}) == len(FORMATS)
