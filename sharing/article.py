"""A transcript as the HTML of an article, written while its segments are read, so that ten hours need no memory.

Every second at which a segment begins is an id, `t=83`: that makes it a place to link to, without a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.html import escape

from whisper_jobs.payloads import duration_human
from whisper_jobs.speech.transcript import Paragraph, ParagraphBuilder, Segment, join_words


def render(segments: Iterable[Segment]) -> Iterator[str]:
    """A paragraph at a time; a speaker is named where they begin to speak."""
    speaker: str | None = None
    seconds: set[int] = set()
    for paragraph, spoken in _grouped(segments):
        name = paragraph.speaker if paragraph.speaker != speaker else None
        speaker = paragraph.speaker
        yield _paragraph(paragraph, spoken, name=name, seconds=seconds)


def _grouped(segments: Iterable[Segment]) -> Iterator[tuple[Paragraph, list[Segment]]]:
    builder, gathered = ParagraphBuilder(), list[Segment]()
    for segment in segments:
        if not segment.text.strip():
            continue
        if finished := builder.add(segment):
            yield finished, gathered
            gathered = []
        gathered.append(segment)
    if finished := builder.finish():
        yield finished, gathered


def _paragraph(paragraph: Paragraph, spoken: list[Segment], *, name: str | None, seconds: set[int]) -> str:
    told = f"<h3>{escape(name)}</h3>" if name else ""
    at = second_of(paragraph.start)
    clock = f'<a class="clock" href="#t={at}">{duration_human(at)}</a>'
    return f'{told}<div class="paragraph">{clock}<p>{_text(spoken, seconds)}</p></div>\n'


def _text(spoken: list[Segment], seconds: set[int]) -> str:
    shown, before = [], ""
    for segment in spoken:
        text = " ".join(segment.text.split())
        shown += [_joint(before, text), _place(segment, text, seconds)]
        before = text
    return "".join(shown)


def _joint(before: str, text: str) -> str:
    """A space, unless the script writes none."""
    return join_words(before[-1], text[0])[1:-1] if before else ""


def _place(segment: Segment, text: str, seconds: set[int]) -> str:
    at = second_of(segment.start)
    if at in seconds:
        return f"<span>{escape(text)}</span>"
    seconds.add(at)
    return f'<span id="t={at}">{escape(text)}</span>'


def second_of(start: float) -> int:
    """The second of the recording by which a segment is linked to."""
    return max(0, int(start))
