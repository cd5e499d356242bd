"""What a format writes can be read back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_jobs.speech.formats import FORMATS, clock
from whisper_jobs.speech.transcript import Segment, Transcript, Word

TIME = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})")

seconds = st.floats(min_value=0, max_value=2_000_000, allow_nan=False)
words = st.builds(Word, seconds, seconds, st.text(), st.none() | st.floats())
spoken = st.builds(
    Segment, seconds, seconds, st.text(), words=st.lists(words, max_size=3).map(tuple), speaker=st.none() | st.text()
)
transcripts = st.builds(
    Transcript, st.lists(spoken, max_size=8).map(tuple), st.none() | st.just("sv"), st.none() | st.floats()
)


def rendered(name: str, transcript: Transcript) -> str:
    return "".join(FORMATS[name].render(transcript))


def of(*segments: Segment) -> Transcript:
    return Transcript(segments, "en", 10.0)


def read_cues(text: str) -> list[tuple[int, int, str]]:
    """(start, end, text) of every cue, by the rule of both formats: cues are parted by empty lines."""
    cues = []
    for block in re.split(r"\n\n+", text):
        lines = block.strip("\n").split("\n")
        timed = [number for number, line in enumerate(lines) if "-->" in line]
        if not timed:
            continue
        assert len(timed) == 1
        start, end = (in_milliseconds(part) for part in lines[timed[0]].split(" --> "))
        cues.append((start, end, "\n".join(lines[timed[0] + 1 :])))
    return cues


def in_milliseconds(written: str) -> int:
    match = TIME.fullmatch(written)
    assert match
    hours, minutes, seconds, milliseconds = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def with_text(transcript: Transcript) -> list[Segment]:
    return [segment for segment in transcript.segments if "".join(segment.text.replace("\0", "").split())]


@given(st.integers(min_value=0, max_value=10**12))
def test_a_clock_reads_back_to_the_millisecond(milliseconds: int) -> None:
    assert in_milliseconds(clock(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("at", "written"),
    [(0, "00:00:00,000"), (59.9996, "00:01:00,000"), (3599.9994, "00:59:59,999"), (360_000.5, "100:00:00,500")],
)
def test_times_are_rounded_before_they_are_split(at: float, written: str) -> None:
    assert f"\n{written} --> " in rendered("srt", of(Segment(at, at + 1, "x")))


@given(transcripts, st.sampled_from(["srt", "vtt"]))
def test_every_segment_with_text_is_one_cue_that_reads_back(transcript: Transcript, name: str) -> None:
    cues = read_cues(rendered(name, transcript))
    segments = with_text(transcript)
    assert len(cues) == len(segments)
    for (start, end, text), segment in zip(cues, segments, strict=True):
        assert start >= round(segment.start * 1000)
        assert end > start
        assert text.strip()
    assert [start for start, _, _ in cues] == sorted(start for start, _, _ in cues)


@given(transcripts)
def test_srt_counts_its_cues_from_one(transcript: Transcript) -> None:
    blocks = [block for block in rendered("srt", transcript).split("\n\n") if block.strip()]
    assert [block.split("\n")[0] for block in blocks] == [str(n) for n in range(1, len(with_text(transcript)) + 1)]


@given(transcripts)
def test_vtt_begins_with_its_header_and_has_no_markup_but_its_own(transcript: Transcript) -> None:
    text = rendered("vtt", transcript)
    assert text.startswith("WEBVTT\n\n")
    for _, _, cue in read_cues(text):
        inside = re.sub(r"^<v [^<>]*>", "", cue)
        assert not re.search(r"[<>]", inside)
        assert not re.search(r"&(?!amp;|lt;|gt;)", inside)


def test_vtt_of_nothing_is_its_header() -> None:
    assert rendered("vtt", of()) == "WEBVTT\n\n"
    assert rendered("srt", of()) == ""


def test_vtt_escapes_and_names_the_voice() -> None:
    text = rendered("vtt", of(Segment(1.5, 2.25, "Tom & <Jerry> --> run", speaker="Ann <1>")))
    assert text == ("WEBVTT\n\n00:00:01.500 --> 00:00:02.250\n<v Ann &lt;1&gt;>Tom &amp; &lt;Jerry&gt; --&gt; run\n\n")


def test_srt_drops_blank_lines_inside_a_cue_and_writes_the_speaker() -> None:
    text = rendered("srt", of(Segment(0, 1, "one\n\n  two \r\n\u2028three", speaker="Bo")))
    assert text == "1\n00:00:00,000 --> 00:00:01,000\nBo: one\ntwo\nthree\n\n"


@given(transcripts)
def test_json_is_valid_and_keeps_every_segment(transcript: Transcript) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads(rendered("json", transcript), parse_constant=refuse)
    segments = list(transcript.segments)
    assert set(read) == {"text", "language", "duration", "segments"}
    assert [each["id"] for each in read["segments"]] == list(range(len(segments)))
    for each, segment in zip(read["segments"], segments, strict=True):
        assert each["text"] == segment.text
        assert each.get("speaker") == (segment.speaker or None)
        assert math.isclose(each["start"], segment.start, abs_tol=0.0006)
        assert [word["word"] for word in each["words"]] == [word.text for word in segment.words]
        assert all(set(word) == {"word", "start", "end", "probability"} for word in each["words"])
    assert "".join(read["text"].split()) == "".join("".join(segment.text.split()) for segment in segments)


def test_json_text_is_the_text_with_its_paragraphs() -> None:
    read = json.loads(rendered("json", of(Segment(0, 1, "One."), Segment(1, 2, "Two."), Segment(9, 10, "Three."))))
    assert read["text"] == "One. Two.\n\nThree."
    assert read["duration"] == 10.0


def test_txt_parts_paragraphs_by_an_empty_line_and_names_speakers() -> None:
    assert rendered("txt", of(Segment(0, 1, "One."), Segment(1, 2, "Two."), Segment(5, 6, "Three."))) == (
        "One. Two.\n\nThree.\n"
    )
    dialogue = of(Segment(0, 1, "Yes?", speaker="A"), Segment(1, 2, "No.", speaker="B"))
    assert rendered("txt", dialogue) == "A: Yes?\n\nB: No.\n"


@pytest.mark.parametrize("name", FORMATS)
def test_a_lazy_transcript_is_written_while_it_is_read(name: str) -> None:
    read = 0

    def endless() -> Iterator[Segment]:
        nonlocal read
        while True:
            read += 1
            yield Segment(read * 10, read * 10 + 1, f"Sentence {read}.")

    pieces = FORMATS[name].render(Transcript(endless(), "en", None))
    written = ""
    while "Sentence 50." not in written:
        written += next(pieces)
    assert read <= 52


def test_every_format_says_how_it_is_served() -> None:
    assert list(FORMATS) == ["txt", "srt", "vtt", "json"]
    assert all(each.extension == f".{name}" and "/" in each.content_type for name, each in FORMATS.items())
