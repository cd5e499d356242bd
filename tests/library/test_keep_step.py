"""The index after any row of corrections: every phrase is found and nothing that nobody says any more."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import search
from whisper_jobs.models import Job, Passage, Segment, Step
from whisper_jobs.speech.tokens import tokens
from whisper_jobs.states import Kind

#: From the first second that was touched to the last.
Span = tuple[float, float]
ROUNDS = 30


class Author:
    """Changes a transcript by chance, and tells where."""

    def __init__(self, job: Job, seed: int) -> None:
        self.job, self.chance = job, random.Random(seed)
        self.step = Step.objects.filter(job=job, kind=Kind.WINDOW).earliest("index")
        self.position = 1000

    def add(self, start: float) -> Span:
        self.position += 1
        said = {"start": start, "end": start + 2, "text": self.words(11), "revision": 1}
        Segment.objects.create(job=self.job, step=self.step, position=self.position, **said)
        return start, start + 2

    def words(self, most: int) -> str:
        return " ".join(f"w{self.chance.randrange(10**6)}" for _ in range(self.chance.randrange(most + 1)))

    def rewrite(self) -> Span:
        return self.write(self.words(14))

    def dictate(self) -> Span:
        return self.write(" ".join([self.words(60), "end"]))

    def write(self, text: str) -> Span:
        row = self.chance.choice(rows_of(self.job))
        Segment.objects.filter(pk=row.pk).update(text=text)
        return row.start, row.end

    def insert(self) -> Span:
        return self.add(self.chance.choice([0.0, self.chance.uniform(0, 130), 200.0]))

    def move(self) -> Span:
        row, start = self.chance.choice(rows_of(self.job)), self.chance.uniform(0, 130)
        Segment.objects.filter(pk=row.pk).update(start=start, end=start + 2)
        return min(row.start, start), max(row.end, start + 2)

    def delete(self) -> Span:
        rows = rows_of(self.job)
        first = self.chance.randrange(len(rows) - 3)
        gone = rows[first : first + self.chance.choice([1, 15])]
        Segment.objects.filter(pk__in=[row.pk for row in gone]).delete()
        return gone[0].start, max(row.end for row in gone)


def rows_of(job: Job) -> list[Segment]:
    return list(Segment.objects.filter(job=job).order_by("start", "id"))


def indexed(job: Job) -> list[list[str]]:
    rows = Passage.objects.filter(job=job, number__gt=search.HEAD).order_by("start", "number")
    return [row.tokens.split() for row in rows]


def phrases(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


@pytest.mark.parametrize("seed", range(6))
def test_it_stays_in_step(seed: int, stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PASSAGE_WORDS", 20)
    monkeypatch.setattr(search, "MOST_WORDS", 40)
    job = stage.completed(alice)
    Segment.objects.filter(job=job).delete()
    author = Author(job, seed)
    for place in range(40):
        author.add(3.0 * place)
    search.reindex(job)
    verbs: list[Callable[[], Span]] = [author.rewrite, author.dictate, author.insert, author.insert, author.move]
    for _round in range(ROUNDS):
        verb = author.chance.choice([*verbs, author.delete] if len(rows_of(job)) > 5 else verbs)
        search.reindex(job, *verb())
        said = [token for row in rows_of(job) for token in tokens(row.text)]
        known = indexed(job)
        assert {word for passage in known for word in passage} == set(said)
        for length in (2, search.OVERLAP_WORDS):
            found = set().union(*(phrases(passage, length) for passage in known))
            assert phrases(said, length) <= found, verb.__name__
