"""Word documents. python-docx makes the package once: styles, page, footer with page numbers, properties.

As its objects the 9,000 turns of a long dialogue take 2.5 s, so the body is written as XML (ISO/IEC 29500-1, 17.3) into a copy of
that package, in 0.1 s.
"""

from __future__ import annotations

import functools
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from docx import Document as new_document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from whisper_jobs.speech.formats.bidi import is_right_to_left
from whisper_jobs.speech.formats.clocks import short_clock
from whisper_jobs.speech.formats.documents import Document, document_of
from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.formats.outlet import Outlet
from whisper_jobs.speech.transcript import Paragraph, Transcript

_BODY = "word/document.xml"
_PROPERTIES = "docProps/core.xml"
#: Paragraphs that are packed at once.
_TOGETHER = 200
#: What XML 1.0 has no way to hold; pieces.clean has taken out the rest.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render_docx(transcript: Transcript, options: FormatOptions) -> Iterator[bytes]:
    document, out = document_of(transcript, options), Outlet()
    parts = _package()
    head, _, tail = parts[_BODY].decode().partition("<w:body>")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as package:
        for name, content in parts.items():
            if name != _BODY:
                package.writestr(name, _titled(content, document) if name == _PROPERTIES else content)
        with package.open(_BODY, "w") as body:
            body.write(f"{head}<w:body>".encode())
            for written in _body(document):
                body.write(written.encode())
                yield out.taken()
            body.write(tail.encode())
    yield out.taken()


def _body(document: Document) -> Iterator[str]:
    yield "".join(_styled("Title", _run(document.title)) for _ in range(bool(document.title))) + "".join(
        _styled("Facts", _run(line)) for line in document.head
    )
    for at in range(0, len(document.paragraphs), _TOGETHER):
        yield "".join(map(_paragraph, document.paragraphs[at : at + _TOGETHER]))


def _paragraph(paragraph: Paragraph) -> str:
    clock = _run(f"{short_clock(paragraph.start)}\t", "Clock")
    speaker = _run(f"{paragraph.speaker}: ", "Speaker") if paragraph.speaker else ""
    is_rtl = is_right_to_left(paragraph.text)
    return _styled("Spoken", clock + speaker + _run(paragraph.text, rtl=is_rtl), rtl=is_rtl)


def _styled(style: str, runs: str, *, rtl: bool = False) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{"<w:bidi/>" * rtl}</w:pPr>{runs}</w:p>'


def _run(text: str, style: str = "", *, rtl: bool = False) -> str:
    properties = (f'<w:rStyle w:val="{style}"/>' if style else "") + "<w:rtl/>" * rtl
    words = escape(_NOT_XML.sub("", text)).replace("\t", '</w:t><w:tab/><w:t xml:space="preserve">')
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'


def _titled(properties: bytes, document: Document) -> bytes:
    title = escape(_NOT_XML.sub("", document.title))
    return properties.replace(b"<dc:title></dc:title>", f"<dc:title>{title}</dc:title>".encode())


@functools.cache
def _package() -> dict[str, bytes]:
    """The files of an empty document with everything but its text."""
    document = new_document()
    document.element.body.remove_all("w:p")
    _make_styles(document)
    _number_pages(document.sections[0])
    about = document.core_properties
    about.title, about.author, about.comments, about.last_modified_by = "", "Tools Whisper", "", ""
    about.created = about.modified = datetime(2026, 1, 1)  # noqa: DTZ001  python-docx takes UTC without its name
    file = io.BytesIO()
    document.save(file)
    with zipfile.ZipFile(file) as package:
        return {name: _with_open_title(name, package.read(name)) for name in package.namelist()}


def _with_open_title(name: str, content: bytes) -> bytes:
    return content.replace(b"<dc:title/>", b"<dc:title></dc:title>") if name == _PROPERTIES else content


def _make_styles(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    grey = RGBColor(0x60, 0x68, 0x70)
    spoken = document.styles.add_style("Spoken", WD_STYLE_TYPE.PARAGRAPH)
    spoken.base_style = normal
    spoken.paragraph_format.space_after, spoken.paragraph_format.line_spacing = Pt(8), 1.25
    spoken.paragraph_format.left_indent, spoken.paragraph_format.first_line_indent = Mm(18), Mm(-18)
    spoken.paragraph_format.tab_stops.add_tab_stop(Mm(18))
    facts = document.styles.add_style("Facts", WD_STYLE_TYPE.PARAGRAPH)
    facts.base_style, facts.font.color.rgb, facts.paragraph_format.space_after = normal, grey, Pt(4)
    clock = document.styles.add_style("Clock", WD_STYLE_TYPE.CHARACTER)
    clock.font.color.rgb, clock.font.size = grey, Pt(9)
    document.styles.add_style("Speaker", WD_STYLE_TYPE.CHARACTER).font.bold = True


def _number_pages(section: Any) -> None:
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(22)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for code, between in (("PAGE", " / "), ("NUMPAGES", "")):
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), code)
        footer._p.append(field)
        if between:
            footer.add_run(between)
