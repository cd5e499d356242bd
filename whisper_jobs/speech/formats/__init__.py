"""Transcript → a file, piece by piece, so that a download of ten hours needs no memory.

FORMATS is the table of everything that can be downloaded; called by views, the command line and the dialects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from whisper_jobs.speech.formats.captioned import render_srt, render_vtt
from whisper_jobs.speech.formats.clocks import clock
from whisper_jobs.speech.formats.objects import render_json, render_verbose_json
from whisper_jobs.speech.formats.options import FormatOptions, Labels
from whisper_jobs.speech.formats.tables import render_csv, render_tsv
from whisper_jobs.speech.formats.texts import render_markdown, render_txt
from whisper_jobs.speech.transcript import Transcript

__all__ = ["FORMATS", "Family", "Format", "FormatOptions", "Labels", "clock"]

#: What a file is for: reading, captions of a film, or programs.
Family = Literal["reading", "captions", "data"]
_Pieces = Iterator[str] | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """`content_type` without a charset is not text."""

    name: str
    extension: str
    content_type: str
    family: Family
    write: Callable[[Transcript, FormatOptions], _Pieces]

    @property
    def is_text(self) -> bool:
        return self.family != "reading" or "charset" in self.content_type

    def render(self, transcript: Transcript, options: FormatOptions | None = None) -> Iterator[bytes]:
        """The bytes of the file, made while the segments are read."""
        for piece in self.write(transcript, options or FormatOptions()):
            yield piece if isinstance(piece, bytes) else _encoded(piece)


def _encoded(text: str) -> bytes:
    """Half a surrogate pair has no bytes of its own."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


# Their libraries take 20 MB, which only a process that writes such a file should carry.


def _render_docx(transcript: Transcript, options: FormatOptions) -> Iterator[bytes]:
    from whisper_jobs.speech.formats.docx import render_docx

    return render_docx(transcript, options)


def _render_pdf(transcript: Transcript, options: FormatOptions) -> Iterator[bytes]:
    from whisper_jobs.speech.formats.pdf import render_pdf

    return render_pdf(transcript, options)


_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("txt", ".txt", "text/plain; charset=utf-8", "reading", render_txt),
        Format("docx", ".docx", _DOCX, "reading", _render_docx),
        Format("pdf", ".pdf", "application/pdf", "reading", _render_pdf),
        Format("markdown", ".md", "text/markdown; charset=utf-8", "reading", render_markdown),
        Format("srt", ".srt", "application/x-subrip; charset=utf-8", "captions", render_srt),
        Format("vtt", ".vtt", "text/vtt; charset=utf-8", "captions", render_vtt),
        Format("json", ".json", "application/json", "data", render_json),
        Format("verbose_json", ".verbose.json", "application/json", "data", render_verbose_json),
        Format("csv", ".csv", "text/csv; charset=utf-8", "data", render_csv),
        Format("tsv", ".tsv", "text/tab-separated-values; charset=utf-8", "data", render_tsv),
    )
}
