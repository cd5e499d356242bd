"""PDF documents on A4. Lines are broken and placed here, so that ten hours take a second, and drawn by reportlab's canvas."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from reportlab.pdfgen.canvas import Canvas

from whisper_jobs.speech.formats import fonts
from whisper_jobs.speech.formats.bidi import has_right_to_left, is_right_to_left, visual
from whisper_jobs.speech.formats.clocks import short_clock
from whisper_jobs.speech.formats.documents import Document, document_of
from whisper_jobs.speech.formats.fonts import BOLD, REGULAR
from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.pieces import parts_of
from whisper_jobs.speech.transcript import Paragraph, Transcript

PIECE_BYTES = 1 << 16
#: Points, 1/72 inch: A4, its margins, and the column for clocks.
WIDTH, HEIGHT, MARGIN, CLOCKS = 595.28, 841.89, 60.0, 54.0
_INK, _GREY = 0.1, 0.42


@dataclass(frozen=True, slots=True)
class Style:
    font: str
    size: float
    leading: float
    grey: float = _INK


TITLE = Style(BOLD, 18, 24)
FACTS = Style(REGULAR, 9, 13, _GREY)
SPEAKER = Style(BOLD, 9.5, 15)
SPOKEN = Style(REGULAR, 10, 15)
CLOCK = Style(REGULAR, 8, 15, _GREY)


@dataclass(frozen=True, slots=True)
class Placed:
    x: float
    y: float
    style: Style
    text: str


@dataclass(slots=True)
class _Sheets:
    """The pages as they fill from top to bottom."""

    language: str | None
    pages: list[list[Placed]] = field(default_factory=lambda: [[]])
    y: float = HEIGHT - MARGIN

    def need(self, height: float) -> None:
        """Goes on to a new page where this one has no room."""
        if self.y - height < MARGIN:
            self.pages.append([])
            self.y = HEIGHT - MARGIN

    def text(self, text: str, style: Style, *, left: float = MARGIN) -> None:
        """Broken into lines from `left` to the margin; text from right to left stands at the right."""
        rtl = is_right_to_left(text)
        for line in broken(text, style, WIDTH - MARGIN - left, self.language):
            self.need(style.leading)
            self.y -= style.leading
            shown = visual(line, right_to_left=rtl) if has_right_to_left(line) else line
            x = WIDTH - MARGIN - _points(shown, style, self.language) if rtl else left
            self.pages[-1].append(Placed(x, self.y, style, shown))

    def beside(self, text: str, style: Style) -> None:
        """In the margin of the line that comes next."""
        self.pages[-1].append(Placed(MARGIN, self.y - style.leading, style, text))

    def space(self, height: float) -> None:
        self.y -= height


def render_pdf(transcript: Transcript, options: FormatOptions) -> Iterator[bytes]:
    with fonts.lock:
        fonts.load()
    document = document_of(transcript, options)
    written = _drawn(document, _laid_out(document, options.labels.missing))
    while piece := written.read(PIECE_BYTES):
        yield piece


def _laid_out(document: Document, missing: str) -> list[list[Placed]]:
    sheets = _Sheets(document.language)
    if document.title:
        sheets.text(document.title, TITLE)
        sheets.space(6)
    for line in document.head:
        sheets.text(line, FACTS)
    if not all(fonts.are_drawn(paragraph.text, REGULAR, document.language) for paragraph in document.paragraphs):
        sheets.text(missing, FACTS)
    sheets.space(12)
    before = None
    for paragraph in document.paragraphs:
        _place(sheets, paragraph, is_named=paragraph.speaker is not None and paragraph.speaker != before)
        before = paragraph.speaker
    return sheets.pages


def _place(sheets: _Sheets, paragraph: Paragraph, *, is_named: bool) -> None:
    # A name alone at the foot of a page is not seen.
    sheets.need(SPEAKER.leading * is_named + SPOKEN.leading * 2)
    if is_named and paragraph.speaker:
        sheets.text(paragraph.speaker, SPEAKER, left=MARGIN + CLOCKS)
    sheets.beside(short_clock(paragraph.start), CLOCK)
    sheets.text(paragraph.text, SPOKEN, left=MARGIN + CLOCKS)
    sheets.space(6)


def broken(text: str, style: Style, room: float, language: str | None) -> Iterator[str]:
    """Lines no wider than `room` points; a part that is wider than a line is cut where the line ends."""
    line, used, most = "", 0.0, room * 1000 / style.size
    for part in parts_of(text):
        wide = fonts.width(part, style.font, language)
        if used + wide <= most or not line:
            line, used = line + part, used + wide
        else:
            yield line.strip(" ")
            line = part.lstrip(" ")
            used = fonts.width(line, style.font, language)
        while used > most:
            cut = _fitting(line, most, style.font, language)
            yield line[:cut]
            line = line[cut:]
            used = fonts.width(line, style.font, language)
    if line.strip(" "):
        yield line.strip(" ")


def _fitting(line: str, most: float, font: str, language: str | None) -> int:
    """How many characters fit; at least one."""
    used = 0.0
    for number, letter in enumerate(line):
        used += fonts.width(letter, font, language)
        if used > most:
            return max(1, number)
    return len(line)


def _points(text: str, style: Style, language: str | None) -> float:
    return fonts.width(text, style.font, language) * style.size / 1000


def _drawn(document: Document, pages: list[list[Placed]]) -> io.BytesIO:
    file = io.BytesIO()
    # The same transcript gives the same bytes: no time of writing.
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1, lang=document.language)
    canvas.setTitle(document.title)
    canvas.setCreator("Tools Whisper")
    canvas.setAuthor("")
    for number, page in enumerate(pages, start=1):
        _draw_page(canvas, page, document.language)
        canvas.setFont(REGULAR, 8)
        canvas.setFillGray(_GREY)
        canvas.drawCentredString(WIDTH / 2, MARGIN / 2, f"{number} / {len(pages)}")
        canvas.showPage()
    with fonts.lock:
        canvas.save()
    file.seek(0)
    return file


def _draw_page(canvas: Canvas, page: list[Placed], language: str | None) -> None:
    text = canvas.beginText()
    for line in page:
        text.setFillGray(line.style.grey)
        text.setTextOrigin(line.x, line.y)
        for font, part in fonts.runs(line.text, line.style.font, language):
            text.setFont(font, line.style.size)
            text.textOut(part)
    canvas.drawText(text)
