"""Where in a recording a search found its words: a few segments of each job on a page, with the words marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from whisper_jobs import search
from whisper_jobs.models import Passage, Segment
from whisper_jobs.search import HEAD, Query, Term
from whisper_jobs.speech.tokens import Span, spans, tokens

#: Of each job: passages that are looked through, and places that are told.
PASSAGES, PLACES = 2, 3
#: A long segment is cut to so many characters around what was found.
LONGEST = 240
_BEFORE = 60


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Seconds of the recording, and what is said then."""

    start: float
    parts: tuple[Part, ...]


def places_in(jobs: Sequence[int], query: Query) -> dict[int, list[Place]]:
    """job id → its places in order of time, for those that have one. Two queries, however many jobs."""
    if not jobs or not query.wanted:
        return {}
    said = _said(_passages(jobs, query.wanted))
    return {job: found for job, rows in said.items() if (found := _places(rows, query.wanted))}


def marked(text: str, query: Query) -> tuple[Part, ...]:
    """The whole text, with every word of the query marked."""
    text = unicodedata.normalize("NFC", text)
    return _parts(text, _marks(list(spans(text)), query.wanted), 0, len(text))


def _passages(jobs: Sequence[int], terms: Sequence[Term]) -> list[tuple[int, float, float]]:
    """The first ones of each job that have a term: job, start, end."""
    found = Passage.objects.filter(search.has_one_of(terms), job__in=jobs, number__gt=HEAD)
    turn = Window(RowNumber(), partition_by=[F("job")], order_by=[F("start").asc()])
    first = found.annotate(turn=turn).filter(turn__lte=PASSAGES)
    return list(first.values_list("job_id", "start", "end"))


def _said(passages: Iterable[tuple[int, float, float]]) -> dict[int, list[tuple[float, str]]]:
    within = Q()
    for job, start, end in passages:
        within |= Q(job=job, start__gte=start, start__lte=end)
    said: dict[int, list[tuple[float, str]]] = {}
    if within:
        rows = Segment.objects.filter(within).order_by("job_id", "start", "id").distinct()
        for job, _pk, start, text in rows.values_list("job_id", "id", "start", "text"):
            said.setdefault(job, []).append((start, text))
    return said


def _places(rows: Sequence[tuple[float, str]], terms: Sequence[Term]) -> list[Place]:
    """Segments with the most terms. Where a phrase goes on in the next segment, those with the most of its words."""
    found = _counted(rows, terms)
    if not found:
        terms = [Term((token,)) for term in terms for token in term.tokens]
        found = _counted(rows, terms)
        most = max((count for count, _, _ in found), default=0)
        found = [one for one in found if one[0] == most]
    best = sorted(found, key=lambda one: (-one[0], one[1]))[:PLACES]
    return [_place(start, text, terms) for _, start, text in sorted(best, key=lambda one: one[1])]


def _counted(rows: Sequence[tuple[float, str]], terms: Sequence[Term]) -> list[tuple[int, float, str]]:
    return [(count, start, text) for start, text in rows if (count := _terms_in(text, terms))]


def _terms_in(text: str, terms: Sequence[Term]) -> int:
    words = f" {' '.join(tokens(text))} "
    return sum(f" {' '.join(term.tokens)}{'' if term.unfinished else ' '}" in words for term in terms)


def _place(start: float, text: str, terms: Sequence[Term]) -> Place:
    text = unicodedata.normalize("NFC", text).strip()
    marks = _marks(list(spans(text)), terms)
    first = 0 if len(text) <= LONGEST else max(0, marks[0][0] - _BEFORE)
    # Not in the midst of a word.
    first = text.find(" ", first) + 1 if first else 0
    first = min(first, marks[0][0])
    return Place(start, _parts(text, marks, first, min(len(text), first + LONGEST)))


def _marks(found: Sequence[Span], terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where the terms stand, in order and apart from each other."""
    marks: list[tuple[int, int]] = []
    for at in range(len(found)):
        length = max((len(term.tokens) for term in terms if _stands(found, at, term)), default=0)
        if not length:
            continue
        start, end = found[at].start, found[at + length - 1].end
        if marks and start <= marks[-1][1]:
            start, end = marks[-1][0], max(marks.pop()[1], end)
        marks.append((start, end))
    return marks


def _stands(found: Sequence[Span], at: int, term: Term) -> bool:
    here = [span.token for span in found[at : at + len(term.tokens)]]
    if len(here) < len(term.tokens):
        return False
    *whole, last = term.tokens
    return here[:-1] == whole and (here[-1] == last or (term.unfinished and here[-1].startswith(last)))


def _parts(text: str, marks: Iterable[tuple[int, int]], first: int, last: int) -> tuple[Part, ...]:
    parts = [Part("…", is_marked=False)] if first else []
    at = first
    for start, end in marks:
        if start >= last:
            break
        parts += [Part(text[at:start], is_marked=False), Part(text[start:end], is_marked=True)]
        at = end
    parts.append(Part(text[at : max(at, last)] + ("…" if last < len(text) else ""), is_marked=False))
    return tuple(part for part in parts if part.text)
