"""A transcript as the HTML of an article, written while its segments are read, so that ten hours need no memory.

Every second at which a segment or a chapter begins is an id, `t=83`: that makes it a place to link to, without a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import escape

from whisper_jobs.payloads import duration_human
from whisper_jobs.speech.transcript import Paragraph, ParagraphBuilder, Segment, join_words

#: Colours that the stylesheet has for speakers.
COLOURS = 12
#: A chapter's start is told by a model that reads times rounded to seconds.
EARLY_SECONDS = 1.0
#: The stylesheet keeps room for a paragraph of so many lines before it is drawn, so that nothing jumps when it is.
LINE_CHARACTERS, MOST_LINES = 66, 24


@dataclass(frozen=True, slots=True)
class Voice:
    """How a speaker is shown: what they are called, and their place among the colours."""

    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    start: float
    language: str = ""

    @property
    def second(self) -> int:
        return second_of(self.start)

    @property
    def clock(self) -> str:
        return duration_human(self.second) or "0:00"


@dataclass(frozen=True, slots=True)
class _Passage:
    """A paragraph with its segments, and the chapters that begin with it."""

    paragraph: Paragraph
    spoken: list[Segment]
    chapters: list[Chapter]


def render(
    segments: Iterable[Segment], voices: Mapping[str, Voice] | None = None, chapters: Sequence[Chapter] = ()
) -> Iterator[str]:
    """A paragraph at a time; a speaker is named where they begin to speak, and anew in each chapter.

    `voices` by the label that the segments name; a label without one is its own name.
    """
    page = _Article(dict(voices or {}))
    for passage in _passages(segments, sorted(chapters, key=lambda one: one.start)):
        yield page.written(passage)


def _passages(segments: Iterable[Segment], chapters: list[Chapter]) -> Iterator[_Passage]:
    builder, gathered, begun, coming = ParagraphBuilder(), list[Segment](), list[Chapter](), list(chapters)
    for segment in segments:
        if not segment.text.strip():
            continue
        news = _begun(coming, segment)
        finished = builder.finish() if news else builder.add(segment)
        if finished:
            yield _Passage(finished, gathered, begun)
            gathered, begun = [], []
        if news:
            builder.add(segment)
            begun = news
        gathered.append(segment)
    if finished := builder.finish():
        yield _Passage(finished, gathered, begun)


def _begun(coming: list[Chapter], segment: Segment) -> list[Chapter]:
    """The chapters that begin with this segment, taken from those to come."""
    begun = []
    while coming and coming[0].start - EARLY_SECONDS <= segment.start:
        begun.append(coming.pop(0))
    return begun


class _Article:
    """Remembers what was written: who speaks, and which seconds are places already."""

    def __init__(self, voices: dict[str, Voice]) -> None:
        self._voices, self._seconds = voices, set[int]()
        self._speaker: str | None = None

    def written(self, passage: _Passage) -> str:
        paragraph = passage.paragraph
        heads = "".join(map(self._chapter, passage.chapters))
        is_named = paragraph.speaker is not None and (paragraph.speaker != self._speaker or bool(heads))
        self._speaker = paragraph.speaker
        told = self._name(paragraph.speaker) if is_named and paragraph.speaker else ""
        at = second_of(paragraph.start)
        voice = f' data-voice="{self._voice(paragraph.speaker).colour}"' if paragraph.speaker else ""
        clock = f'<a class="clock" href="#t={at}">{duration_human(at)}</a>'
        text = f'<p dir="auto">{self._text(passage.spoken)}</p>'
        lines = min(MOST_LINES, -(-len(paragraph.text) // LINE_CHARACTERS))
        return f'{heads}{told}<div class="paragraph l{lines}"{voice}>{clock}{text}</div>\n'

    def _chapter(self, chapter: Chapter) -> str:
        language = f' lang="{escape(chapter.language)}"' if chapter.language else ""
        return f'<h2 class="chapter"{self._place(chapter.second)}{language} dir="auto">{escape(chapter.title)}</h2>'

    def _name(self, label: str) -> str:
        voice = self._voice(label)
        return f'<h3 class="voice" data-voice="{voice.colour}" dir="auto">{escape(voice.name)}</h3>'

    def _voice(self, label: str) -> Voice:
        return self._voices.setdefault(label, Voice(label, len(self._voices) % COLOURS))

    def _text(self, spoken: list[Segment]) -> str:
        shown, before = [], ""
        for segment in spoken:
            text = plain(segment.text)
            shown += [_joint(before, text), f"<span{self._place(second_of(segment.start))}>{escape(text)}</span>"]
            before = text
        return "".join(shown)

    def _place(self, second: int) -> str:
        """The id of a second, for what begins in it first."""
        if second in self._seconds:
            return ""
        self._seconds.add(second)
        return f' id="t={second}"'


def plain(text: str) -> str:
    """A segment's text as the page has it: in one line."""
    return " ".join(text.split())


def _joint(before: str, text: str) -> str:
    """A space, unless the script writes none."""
    return join_words(before[-1], text[0])[1:-1] if before else ""


def second_of(start: float) -> int:
    """The second of the recording by which a segment is linked to."""
    return max(0, int(start))
