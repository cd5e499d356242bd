"""What was said, and when: the values that engines make, and that formats, coverage and pages read.

All times are seconds from the start of the audio that was handed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Literal

PARAGRAPH_PAUSE_SECONDS = 2.0
#: A paragraph longer than this many characters ends with its sentence, so that a lecture isn't one block.
PARAGRAPH_CHARACTERS = 600
#: Draft engines write no sentence ends; one much longer than that ends anyway.
LONGEST_PARAGRAPH_CHARACTERS = 1500
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "\uff01", "\uff1f", "।", "؟")
#: Scripts written without spaces: Thai, Lao, Myanmar, Khmer, Tibetan, kana and the CJK ideographs.
_UNSPACED = ((0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3000, 0x30FF), (0x3400, 0x9FFF), (0xFF00, 0xFFEF))


@dataclass(frozen=True, slots=True)
class Word:
    start: float
    end: float
    text: str
    probability: float | None = None

    def shifted(self, seconds: float) -> Word:
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a Whisper model came to a segment's text, in openai-whisper's terms; None for what an engine doesn't tell."""

    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None


#: Why a segment may be wrong: it repeats itself, has words where nobody speaks, or the engine was unsure of it.
Suspicion = Literal["repeats", "no_speech", "unsure"]


@dataclass(frozen=True, slots=True)
class Segment:
    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    probability: float | None = None
    suspect: Suspicion | None = None
    decoding: Decoding | None = None

    def shifted(self, seconds: float) -> Segment:
        """The same segment `seconds` later: from its window's clock to the recording's."""
        words = tuple(word.shifted(seconds) for word in self.words)
        return replace(self, start=self.start + seconds, end=self.end + seconds, words=words)

    def of_words(self, words: tuple[Word, ...]) -> Segment:
        """The same segment with these of its words alone, one at least; its text is made of them."""
        text = reduce(join_words, (word.text for word in words))
        return replace(self, start=words[0].start, end=words[-1].end, text=text, words=words)


@dataclass(frozen=True, slots=True)
class Note:
    """What a person marked in the recording. `quote`: what was said there; without `text` a highlight."""

    start: float
    end: float
    quote: str = ""
    text: str = ""
    author: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """`segments` is normally a tuple; a lazy iterable will do for what reads it once. `notes` are None where they are not told."""

    segments: Iterable[Segment]
    language: str | None
    duration: float | None
    title: str = ""
    date: date | None = None
    is_draft: bool = False
    task: Literal["transcribe", "translate"] = "transcribe"
    notes: tuple[Note, ...] | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Of a note `speaker` is what it is called by."""

    start: float
    text: str
    speaker: str | None = None
    is_note: bool = False


class ParagraphBuilder:
    """Gathers segments into paragraphs: a new one on a pause, a new speaker, or when one has grown long."""

    def __init__(self) -> None:
        self._current: Paragraph | None = None
        self._end = 0.0

    def add(self, segment: Segment) -> Paragraph | None:
        """The paragraph that this segment brought to its end, if it did."""
        text = " ".join(segment.text.split())
        if not text:
            return None
        pause, self._end = segment.start - self._end, segment.end
        if self._current is not None and not _breaks(self._current, segment, pause=pause):
            self._current = replace(self._current, text=join_words(self._current.text, text))
            return None
        finished, self._current = self._current, Paragraph(segment.start, text, segment.speaker)
        return finished

    def finish(self) -> Paragraph | None:
        finished, self._current = self._current, None
        return finished


def paragraphs(segments: Iterable[Segment]) -> Iterator[Paragraph]:
    builder = ParagraphBuilder()
    for segment in segments:
        if paragraph := builder.add(segment):
            yield paragraph
    if paragraph := builder.finish():
        yield paragraph


def join_text(segments: Iterable[Segment]) -> str:
    """The whole text with an empty line between paragraphs."""
    return "\n\n".join(paragraph.text for paragraph in paragraphs(segments))


def join_words(left: str, right: str) -> str:
    """Two pieces of text with a space between them, unless their script writes none."""
    if not left or not right:
        return left or right
    return left + right if is_unspaced(left[-1]) and is_unspaced(right[0]) else f"{left} {right}"


def _breaks(current: Paragraph, segment: Segment, *, pause: float) -> bool:
    if pause > PARAGRAPH_PAUSE_SECONDS or segment.speaker != current.speaker:
        return True
    length = len(current.text)
    return length > LONGEST_PARAGRAPH_CHARACTERS or (
        length > PARAGRAPH_CHARACTERS and current.text.endswith(_SENTENCE_ENDS)
    )


def is_unspaced(character: str) -> bool:
    """Whether its script is written without spaces."""
    return any(first <= ord(character) <= last for first, last in _UNSPACED)
