"""The times of the words on the page, for its player: small, and fetched only when somebody listens.

A list for each sentence of the page, in its order: the hundredth of a second at which it begins, then for each word how many
letters (UTF-16) after the one before it stands, and how many hundredths later it is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sharing.article import plain
from whisper_jobs.speech.transcript import Segment, Word


def render(segments: Iterable[Segment]) -> Iterator[str]:
    """JSON, a sentence at a time."""
    before = "["
    for segment in segments:
        if text := plain(segment.text):
            yield f"{before}[{','.join(map(str, _numbers(segment, text)))}]"
            before = ",\n"
    yield "[]" if before == "[" else "]"


def _numbers(segment: Segment, text: str) -> Iterator[int]:
    at = _hundredths(segment.start)
    yield at
    letter = 0
    for place, word in _places(text, segment.words):
        start = max(_hundredths(word.start), at)
        yield from (place - letter, start - at)
        letter, at = place, start


def _places(text: str, words: Iterable[Word]) -> Iterator[tuple[int, Word]]:
    """Where in the text each word stands, as scripts count letters; one that isn't there is left out."""
    read = units = 0
    for word in words:
        told = plain(word.text)
        found = text.find(told, read) if told else -1
        if found >= 0:
            units += _units(text[read:found])
            yield units, word
            units += _units(told)
            read = found + len(told)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _hundredths(seconds: float) -> int:
    return max(0, round(seconds * 100))
