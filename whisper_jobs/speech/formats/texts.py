"""Plain text and Markdown: paragraphs to read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from whisper_jobs.speech.formats.clocks import short_clock
from whisper_jobs.speech.formats.documents import facts_of, spoken, title_of
from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.transcript import Transcript

#: What CommonMark reads as more than itself within a line (https://spec.commonmark.org/0.31.2/#inlines), or GitHub besides.
_MARKS = re.compile(r"([\\`*_\[\]<>&#|~$])")


def render_txt(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    between = ""
    for paragraph in spoken(transcript, options):
        speaker = f"{paragraph.speaker}: " if paragraph.speaker else ""
        yield f"{between}{speaker}{paragraph.text}\n"
        between = "\n"


def render_markdown(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    """Each paragraph begins with its clock, so that no text begins a line and becomes a heading or a list."""
    if title := title_of(transcript):
        yield f"# {_plain(title)}\n\n"
    if facts := facts_of(transcript):
        yield f"*{_plain(facts)}*\n\n"
    if transcript.is_draft:
        yield f"**{_plain(options.labels.draft)}**\n\n"
    for paragraph in spoken(transcript, options):
        speaker = f" **{_plain(paragraph.speaker)}:**" if paragraph.speaker else ""
        yield f"`{short_clock(paragraph.start)}`{speaker} {_plain(paragraph.text)}\n\n"


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
