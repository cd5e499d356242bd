"""The letters of PDF files.

DejaVu Sans, which matplotlib carries (Bitstream Vera licence), is embedded: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew,
Arabic, signs. Chinese, Japanese and Korean are set in the standard's fonts (ISO 32000-1, 9.7.5.2), in place of which a reader takes
its own. For what is in neither, such as Devanagari, Thai and emoji, BOX is shown.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

BOX = "□"
REGULAR, BOLD = "Spoken", "Spoken-Bold"
_FILES = {REGULAR: "DejaVuSans.ttf", BOLD: "DejaVuSans-Bold.ttf"}
_HAN = {"ja": "HeiseiKakuGo-W5", "ko": "HYGothic-Medium"}
_HANGUL, _CHINESE = "HYGothic-Medium", "STSong-Light"
#: CJK marks, kana, ideographs, full-width forms: what the Chinese font of the standard has a code for.
_WIDE = ((0x3000, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))
_HANGUL_RANGES = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))
#: Reading a font file and writing a part of it moves through the file, which all documents share.
lock = threading.Lock()
Run = tuple[str, str]


@functools.cache
def load() -> None:
    """Makes the fonts known. Takes a tenth of a second, once."""
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None, "matplotlib is in requirements.txt"
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file), shapable=False))
    for name in {*_HAN.values(), _CHINESE}:
        pdfmetrics.registerFont(UnicodeCIDFont(name))


@functools.cache
def _letters_of(font: str) -> frozenset[str]:
    """Of the basic plane: reportlab writes others so that they can't be copied out of the file."""
    return frozenset(chr(code) for code in pdfmetrics.getFont(font).face.charToGlyph if 0 < code <= 0xFFFF)


def runs(text: str, font: str, language: str | None) -> Iterator[Run]:
    """(font, text) for each stretch of one font."""
    letters = _letters_of(font)
    if letters.issuperset(text):
        yield font, text
        return
    chosen = [_font_for(letter, font, language) for letter in text]
    for name, pairs in groupby(zip(chosen, text, strict=True), key=lambda pair: pair[0]):
        told = "".join(letter for _, letter in pairs)
        yield (name, told) if name else (font, BOX * len(told))


@functools.lru_cache(maxsize=20_000)
def _font_for(letter: str, font: str, language: str | None) -> str:
    """Empty where no font has it."""
    if letter in _letters_of(font):
        return font
    if _within(letter, _HANGUL_RANGES):
        return _HANGUL
    if _within(letter, _WIDE):
        return _HAN.get(language or "", _CHINESE)
    return ""


def are_drawn(text: str, font: str, language: str | None) -> bool:
    """Whether there is a font for every letter."""
    return _letters_of(font).issuperset(text) or all(_font_for(letter, font, language) for letter in text)


def _within(letter: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(letter) <= last for first, last in ranges)


@functools.lru_cache(maxsize=50_000)
def width(text: str, font: str, language: str | None) -> float:
    """In thousandths of the font's size."""
    return math.fsum(pdfmetrics.stringWidth(part, name, 1000) for name, part in runs(text, font, language))
