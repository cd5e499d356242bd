"""A person's own names and terms: kept, and handed to the engine with new recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Term

#: One person's; a bound against scripts gone wild.
MOST_TERMS = 2000
LONGEST_TERM = 100
#: That one recording takes; engines read about as many.
MOST_HOTWORDS = 200


@dataclass(frozen=True, slots=True)
class Added:
    """What became of lines: kept now, there before, and left out for want of room or because they are too long."""

    kept: int
    known: int
    left_out: int


def of(user: User) -> QuerySet[Term]:
    return Term.objects.filter(owner=user).order_by("text", "pk")


def texts_of(user: User) -> list[str]:
    return list(of(user).values_list("text", flat=True))


def added_to(hotwords: Sequence[str], user: User) -> list[str]:
    """`hotwords`, then the glossary, each once; those that were added last are the first to find no room."""
    terms = Term.objects.filter(owner=user).order_by("pk").values_list("text", flat=True)[:MOST_HOTWORDS]
    return list(dict.fromkeys([*hotwords, *terms]))[:MOST_HOTWORDS]


def tidy(lines: Iterable[str]) -> list[str]:
    """One term a line, each once and in order, without what can't be stored and spaces that nobody sees."""
    return list(dict.fromkeys(filter(None, (" ".join(plain_text(line).split()) for line in lines))))


@transaction.atomic
def add(user: User, lines: Iterable[str]) -> Added:
    """Two at once add each term once: the second waits for the first."""
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk", flat=True).first()
    known, wanted = set(texts_of(user)), tidy(lines)
    new = [text for text in wanted if text not in known and len(text) <= LONGEST_TERM]
    kept = new[: max(0, MOST_TERMS - len(known))]
    Term.objects.bulk_create([Term(owner=user, text=text) for text in kept])
    again = sum(text in known for text in wanted)
    return Added(kept=len(kept), known=again, left_out=len(wanted) - len(kept) - again)


def remove(user: User, lines: Iterable[str]) -> int:
    """Returns how many there were."""
    return Term.objects.filter(owner=user, text__in=tidy(lines)).delete()[0]
