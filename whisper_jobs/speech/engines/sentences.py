"""Words with times as segments, cut at pauses and at the ends of sentences. For engines that find words and no segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from whisper_jobs.speech.transcript import Word

_ENDS = (".", "!", "?", "…")
_CLOSING = "\"'”’)]"
#: Their full stop ends no sentence.
_ABBREVIATIONS = {"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "vs."}
_INITIAL = re.compile(r"(?!I)[A-Z]\.")


@dataclass(frozen=True, slots=True)
class Rules:
    """A pause of `pause_seconds` ends a segment; one of `short_pause_seconds` does once it is `long_seconds` long."""

    pause_seconds: float
    short_pause_seconds: float
    long_seconds: float
    at_sentence_ends: bool = False


def cut(words: Iterable[Word], rules: Rules) -> Iterator[tuple[Word, ...]]:
    """All words in their order, in parts that have one at least."""
    gathered: list[Word] = []
    for word in words:
        if gathered and _parts(gathered, word, rules):
            yield tuple(gathered)
            gathered = []
        gathered.append(word)
    if gathered:
        yield tuple(gathered)


def _parts(gathered: list[Word], word: Word, rules: Rules) -> bool:
    pause = word.start - gathered[-1].end
    is_long = word.end - gathered[0].start > rules.long_seconds
    if pause >= (rules.short_pause_seconds if is_long else rules.pause_seconds):
        return True
    return rules.at_sentence_ends and _ends_sentence(gathered[-1].text, word.text)


def _ends_sentence(text: str, following: str) -> bool:
    """A small letter goes on with the sentence: “Hello? she asked.”"""
    if text.lower() in _ABBREVIATIONS or _INITIAL.fullmatch(text) or not text.rstrip(_CLOSING).endswith(_ENDS):
        return False
    first = following.lstrip("\"'“‘([")[:1]
    return not first.islower()
