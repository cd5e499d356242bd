"""Finds recordings by their words. Transcripts are indexed in passages, by the transaction that changes their segments.

A query is words that must all be in the recording, "phrases in quotes", and -words that must not; its last word may be unfinished.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat, StrIndex
from django.db.models.lookups import GreaterThan

from whisper_jobs.models import Job, Note, Passage, Segment, Tag
from whisper_jobs.speech.tokens import tokens

#: Words of a passage when it is made, and how far corrections may let it grow.
PASSAGE_WORDS, MOST_WORDS = 1000, 2000
#: A passage has the first words of the next one too, so that a phrase is found across their border.
OVERLAP_WORDS = 8
#: Number of the passage with the title, the note and the like.
HEAD = 0
#: Characters of a recording's notes that are searched.
MOST_NOTED = 100_000
#: A query is not asked for more words than that.
MOST_TERMS = 20
#: The index is asked first and by itself: a plan that begins at the jobs would take every passage apart again.
_HITS_ON_SQLITE = """
WITH hit AS MATERIALIZED (SELECT rowid AS id FROM whisper_passage_index WHERE whisper_passage_index MATCH %s)
SELECT job_id FROM hit CROSS JOIN whisper_passage AS passage ON passage.id = hit.id
"""
_HITS_ON_POSTGRESQL = """
WITH hit AS MATERIALIZED (
    SELECT job_id FROM whisper_passage WHERE to_tsvector('simple', tokens) @@ to_tsquery('simple', %s){}
) SELECT job_id FROM hit
"""
#: The index knows which words a passage has; that they follow each other is looked up in the passage.
_IN_A_ROW = " AND strpos(' ' || tokens || ' ', %s) > 0"
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


# --- queries --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that follow each other; of the last one only the beginning when it is `unfinished`."""

    tokens: tuple[str, ...]
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)


def parse(text: str) -> Query:
    """What somebody typed. Nothing of it is an error; what has neither letters nor digits is left out."""
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for found in list(_TERM.finditer(text))[:MOST_TERMS]:
        words = tuple(tokens(found["word"] or found["phrase"] or ""))
        if words and found["minus"]:
            unwanted.append(Term(words))
        elif words:
            last = found["word"] is not None and not text[found.end() :].strip()
            # One letter begins too many words to be a search.
            wanted.append(Term(words, unfinished=last and len(words[-1]) > 1))
    return Query(tuple(wanted), tuple(unwanted))


def found_by(query: Query) -> Q:
    """The jobs that the query finds; none for a query without words."""
    found = Q() if query else Q(pk__in=[])
    for term in query.wanted:
        found &= Q(pk__in=_jobs_with(term))
    for term in query.unwanted:
        found &= ~Q(pk__in=_jobs_with(term))
    return found


@contextmanager
def by_index() -> Iterator[None]:
    """Whatever searches is evaluated within this.

    Left to itself, PostgreSQL reads every passage for a word that most of them have, and takes it apart: a thousand times the work.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        # This may have been within a longer transaction.
        cursor.execute("SET LOCAL enable_seqscan = DEFAULT")


def has_one_of(terms: Sequence[Term]) -> Q:
    """Of a query for few passages: those with any of `terms`. Reads their words and asks no index."""
    words, asked = Concat(Value(" "), F("tokens"), Value(" "), output_field=TextField()), Q()
    for term in terms:
        asked |= Q(GreaterThan(StrIndex(words, Value(_as_stored(term))), 0))
    return asked


def _as_stored(term: Term) -> str:
    return " " + " ".join(term.tokens) + ("" if term.unfinished else " ")


def _jobs_with(term: Term) -> RawSQL:
    make = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    return RawSQL(*make(term))  # noqa: S611 - values are parameters


def _on_sqlite(term: Term) -> tuple[str, list[str]]:
    return _HITS_ON_SQLITE, [f'"{" ".join(term.tokens)}"{"*" if term.unfinished else ""}']


def _on_postgresql(term: Term) -> tuple[str, list[str]]:
    words = " & ".join(f"'{token}'" for token in term.tokens) + (":*" if term.unfinished else "")
    if len(term.tokens) == 1:
        return _HITS_ON_POSTGRESQL.format(""), [words]
    return _HITS_ON_POSTGRESQL.format(_IN_A_ROW), [words, _as_stored(term)]


# --- the index ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    start: float
    end: float
    words: list[str]


def reindex(job: Job, start: float | None = None, end: float | None = None) -> None:
    """Brings the index in step with the job's rows: all of it, or where its segments from `start` to `end` are or were.

    Call it in the transaction that changed them, with the job locked.
    """
    if start is None or not _reindex_part(job, start, start if end is None else end):
        Passage.objects.filter(job=job, number__gt=HEAD).delete()
        stretches = _overlapping(_stretches(_said(job), PASSAGE_WORDS), [])
        Passage.objects.bulk_create(_rows(job, stretches, 1), batch_size=50)
    _write_heads([job])


def has_head() -> Exists:
    """Of a query for jobs: those that the search knows."""
    return Exists(Passage.objects.filter(job=OuterRef("pk"), number=HEAD))


def reindex_heads(jobs: Sequence[Job]) -> None:
    """Title, note, file name, link, the owner's tags and the texts of the notes of each.

    One whose words are not known yet is left out: by its head it would look as if they were. They are indexed together.
    """
    spoken = Exists(Segment.objects.filter(job=OuterRef("pk")))
    wordless = set(
        Job.objects.filter(~has_head(), spoken, pk__in=[job.pk for job in jobs]).values_list("pk", flat=True)
    )
    _write_heads([job for job in jobs if job.pk not in wordless])


def _write_heads(jobs: Sequence[Job]) -> None:
    tagged: dict[int, list[str]] = {}
    for pk, name in Tag.objects.filter(jobs__in=jobs, owner=F("jobs__owner")).values_list("jobs", "name"):
        tagged.setdefault(pk, []).append(name)
    noted = _noted(jobs)
    Passage.objects.bulk_create(
        [
            Passage(job=job, number=HEAD, tokens=_head(job, [*tagged.get(job.pk, []), *noted.get(job.pk, [])]))
            for job in jobs
        ],
        update_conflicts=True,
        unique_fields=["job", "number"],
        update_fields=["tokens"],
        batch_size=100,
    )


def _noted(jobs: Sequence[Job]) -> dict[int, list[str]]:
    """job id → the texts of its notes, as far as an index takes them."""
    noted: dict[int, list[str]] = {}
    left = dict.fromkeys((job.pk for job in jobs), MOST_NOTED)
    rows = Note.objects.filter(job__in=jobs).exclude(text="").order_by("job", "start", "id")
    for pk, text in rows.values_list("job_id", "text").iterator(chunk_size=500):
        if left[pk] > 0:
            noted.setdefault(pk, []).append(text[: left[pk]])
            left[pk] -= len(text)
    return noted


def _head(job: Job, further: list[str]) -> str:
    told = (job.source_label, job.source_title, job.source_note, job.source_filename, job.source_url, *further)
    return " ".join(tokens("\n".join(told)))


def _said(job: Job, within: Q | None = None) -> Iterator[tuple[float, float, str]]:
    rows = Segment.objects.filter(within or Q(), job=job).order_by("start", "id")
    return rows.values_list("start", "end", "text").iterator(chunk_size=500)


def _stretches(said: Iterable[tuple[float, float, str]], size: int) -> Iterator[Stretch]:
    """Segments together until they have `size` words. Segments that begin at once stay in one stretch."""
    begun, last = None, 0.0
    for start, end, text in said:
        if begun is None or (len(begun.words) >= size and start > last):
            if begun:
                yield begun
            begun = Stretch(start, end, [])
        begun = Stretch(begun.start, max(begun.end, end), [*begun.words, *tokens(text)])
        last = start
    if begun:
        yield begun


def _overlapping(stretches: Iterable[Stretch], after: list[str]) -> list[Stretch]:
    """Each with the words that follow it; `after` are those behind the last one."""
    told: list[Stretch] = []
    for one in reversed(list(stretches)):
        told.append(Stretch(one.start, one.end, one.words + after))
        after = (one.words + after)[:OVERLAP_WORDS]
    return told[::-1]


def _rows(job: Job, stretches: Iterable[Stretch], first: int) -> Iterator[Passage]:
    for number, one in enumerate(stretches, start=first):
        yield Passage(job=job, number=number, start=one.start, end=one.end, tokens=" ".join(one.words))


def _reindex_part(job: Job, start: float, end: float) -> bool:
    """False when there is nothing to begin with."""
    known = list(Passage.objects.filter(job=job, number__gt=HEAD).defer("tokens").order_by("start", "number"))
    if not known:
        return False
    borders = [-float("inf"), *(one.start for one in known[1:]), float("inf")]
    free = max(one.number for one in known) + 1
    touched = [place for place in range(len(known)) if borders[place] <= end and start <= borders[place + 1]]
    until = borders[touched[-1] + 1]
    # The one before has the first words of the first of them.
    for place in range(touched[-1], max(0, touched[0] - 1) - 1, -1):
        stretches = _between(job, borders[place], until)
        if place and sum(len(one.words) for one in stretches) < OVERLAP_WORDS:
            # So few words go to the one before: else the one before that would have to have words of two.
            known[place].delete()
            continue
        free = _rewrite(job, known[place], _overlapping(stretches, _words_from(job, until)), free)
        until = borders[place]
    return True


def _between(job: Job, start: float, until: float) -> list[Stretch]:
    """One stretch, or several when it has grown too long; none of those is shorter than an overlap."""
    said = list(_said(job, _from(start, until)))
    whole = list(_stretches(said, MOST_WORDS))
    if len(whole) < 2:
        return whole
    *parts, before, last = _stretches(said, PASSAGE_WORDS)
    if len(last.words) >= OVERLAP_WORDS:
        return [*parts, before, last]
    return [*parts, Stretch(before.start, max(before.end, last.end), before.words + last.words)]


def _rewrite(job: Job, passage: Passage, stretches: Sequence[Stretch], free: int) -> int:
    """Writes one passage anew, and what goes on behind it from the number `free` on. Returns the next free one."""
    if not stretches:
        passage.delete()
        return free
    first = stretches[0]
    passage.start, passage.end, passage.tokens = first.start, first.end, " ".join(first.words)
    passage.save(update_fields=["start", "end", "tokens"])
    return free + len(Passage.objects.bulk_create(_rows(job, stretches[1:], free)))


def _from(start: float, until: float) -> Q:
    within = Q() if start == -float("inf") else Q(start__gte=start)
    return within if until == float("inf") else within & Q(start__lt=until)


def _words_from(job: Job, start: float) -> list[str]:
    words: list[str] = []
    if start == float("inf"):
        return words
    for _, _, text in _said(job, _from(start, float("inf"))):
        words += tokens(text)
        if len(words) >= OVERLAP_WORDS:
            break
    return words[:OVERLAP_WORDS]
