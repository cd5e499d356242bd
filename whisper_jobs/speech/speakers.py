"""How speakers are called in what people read: by the name they were given, else by their number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from whisper_jobs.speech.transcript import Segment, paragraphs

_NUMBERED = re.compile(r"SPEAKER_(\d+)")


def number_of(label: str) -> int | None:
    """1 for `SPEAKER_00`, and so on; None for a label of another form."""
    numbered = _NUMBERED.fullmatch(label)
    return int(numbered[1]) + 1 if numbered else None


def named(segments: Iterable[Segment], names: Mapping[str, str]) -> Iterator[Segment]:
    """The segments with names in place of labels. `names`: label → what to show."""
    for segment in segments:
        yield replace(segment, speaker=names.get(segment.speaker, segment.speaker)) if segment.speaker else segment


def speaker_aware_text(segments: Iterable[Segment]) -> str:
    """The whole text, a paragraph for each turn with the speaker before it; empty when no segment has one."""
    told, known = [], False
    for paragraph in paragraphs(segments):
        known = known or paragraph.speaker is not None
        told.append(f"{paragraph.speaker}: {paragraph.text}" if paragraph.speaker else paragraph.text)
    return "\n\n".join(told) if known else ""
