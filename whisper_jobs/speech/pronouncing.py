"""English words as a pronouncing dictionary knows them: numbers spelled out, and sounds for what stands in no dictionary.

Called by the aligner alone, which only needs sounds that are nearly right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SIGNS = {
    "%": "percent",
    "&": "and",
    "$": "dollars",
    "€": "euros",
    "£": "pounds",
    "+": "plus",
    "=": "equals",
    "@": "at",
}
_PART = re.compile(r"\d{1,3}(?:,\d{3})+|\d+|[a-z']+|[%&$€£+=@]")
#: More digits are said one by one.
_MOST_DIGITS = 6
#: Letters and their sounds in ARPAbet; the longest letters that fit are taken.
_RULES = """
tion=SH-AH-N sion=ZH-AH-N tch=CH igh=AY dge=JH sch=SH ch=CH sh=SH th=TH ph=F wh=W ck=K ng=NG qu=K-W
kn=N wr=R gh=G ee=IY ea=IY oo=UW ou=AW ow=OW oy=OY oi=OY ai=EY ay=EY au=AO aw=AO er=ER ir=ER ur=ER
ie=IY ey=IY a=AE b=B c=K d=D e=EH f=F g=G h=HH i=IH j=JH k=K l=L m=M n=N o=AA p=P q=K r=R s=S t=T
u=AH v=V w=W x=K-S y=IY z=Z
"""
_SOUNDS = {letters: phones.replace("-", " ") for letters, phones in (rule.split("=") for rule in _RULES.split())}
_LONGEST = max(map(len, _SOUNDS))
_DOUBLED = re.compile(r"([bcdfgklmnprstvz])\1")


def spoken(text: str, known: Callable[[str], bool]) -> list[str]:
    """The words of which a written one consists when it is said; none of signs. `known`: whether the dictionary has it."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    return [word for part in _PART.findall(plain) for word in _said(part, known)]


def _said(part: str, known: Callable[[str], bool]) -> Iterator[str]:
    if part[0].isdigit():
        yield from number(part.replace(",", ""), as_year="," not in part)
    elif part in _SIGNS:
        yield _SIGNS[part]
    else:
        word = part if known(part) else part.strip("'")
        if word:
            yield word


def number(digits: str, *, as_year: bool = True) -> list[str]:
    """As it is usually said; 1984 as the year, unless told otherwise."""
    if len(digits) > _MOST_DIGITS or (digits[0] == "0" and len(digits) > 1):
        return [_ONES[int(digit)] for digit in digits]
    value = int(digits)
    if as_year and 1100 <= value < 2000 and value % 100 >= 10:
        return [*_below_million(value // 100), *_below_million(value % 100)]
    return _below_million(value)


def _below_million(value: int) -> list[str]:
    for unit, name in ((1000, "thousand"), (100, "hundred")):
        if value >= unit:
            return [*_below_million(value // unit), name, *(_below_million(value % unit) if value % unit else ())]
    if value < len(_ONES):
        return [_ONES[value]]
    return [_TENS[value // 10 - 2], *([_ONES[value % 10]] if value % 10 else ())]


def sounds(word: str, lookup: Callable[[str], str | None]) -> str:
    """The phones of a word that the dictionary lacks, by a base that it has or by the letters."""
    base, ending, rest = word.partition("'")
    if ending and rest == "s" and (found := lookup(base)):
        return f"{found} Z"
    return " ".join(_by_letters(_DOUBLED.sub(r"\1", word.replace("'", "")))) or "AH"


def _by_letters(word: str) -> Iterator[str]:
    at = 0
    while at < len(word):
        length = next((size for size in range(_LONGEST, 0, -1) if word[at : at + size] in _SOUNDS), 0)
        # A last e after a consonant is silent.
        if length and not (word[at:] == "e" and at > 1):
            yield _SOUNDS[word[at : at + length]]
        at += max(1, length)
