"""Tables of segments: tab-separated as openai-whisper writes it, for programs, and comma-separated for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.pieces import clean, milliseconds
from whisper_jobs.speech.transcript import Segment, Transcript

#: Spreadsheets know the letters of a file by this.
BYTE_ORDER_MARK = "\ufeff"
#: A spreadsheet takes a cell that begins so for a formula (https://owasp.org/www-community/attacks/CSV_Injection), and may pass
#: over what isn't seen before it.
_FORMULA = re.compile("[\\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+@＝＋－＠-]")


def render_tsv(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    """Whole milliseconds and the text, as openai-whisper's WriteTSV, but for an apostrophe as in a CSV file."""
    yield "start\tend\ttext\n"
    for segment, text in _with_text(transcript.segments):
        yield f"{milliseconds(segment.start)}\t{milliseconds(segment.end)}\t{harmless(text)}\n"


def render_csv(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    """RFC 4180, in seconds. An apostrophe stands before what would be run as a formula."""
    named = options.speakers
    yield BYTE_ORDER_MARK + row([*(["speaker"] if named else []), "start", "end", "text"])
    for segment, text in _with_text(transcript.segments):
        times = [f"{milliseconds(segment.start) / 1000:.3f}", f"{milliseconds(segment.end) / 1000:.3f}"]
        speaker = [harmless(clean(segment.speaker or ""))] if named else []
        yield row([*speaker, *times, harmless(text)])


def _with_text(segments: Iterable[Segment]) -> Iterator[tuple[Segment, str]]:
    return ((segment, text) for segment in segments if (text := clean(segment.text)))


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def row(cells: Iterable[str]) -> str:
    """One line of RFC 4180."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
