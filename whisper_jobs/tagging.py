"""Verbs for a person's own tags: made, changed, put on recordings and taken off. What the search knows of them follows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import search
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Job, Tag

#: Places in the palette of the pages.
COLOURS = 12
MOST_TAGS = 200
LONGEST_NAME = 50


class Refused(Exception):
    """This tag can't be made so; the message says so to the user."""


def clean(name: str) -> str:
    """As it is stored: one line, without what nobody sees. Raises Refused for one that is empty or too long."""
    told = " ".join(unicodedata.normalize("NFC", plain_text(name)).split())
    if not told or len(told) > LONGEST_NAME:
        raise Refused(_("Give the tag a name of at most %(most)d characters.") % {"most": LONGEST_NAME})
    return told


def make(owner: User, name: str, colour: int | None = None) -> Tag:
    """A new tag; without a colour the next one of the palette. Raises Refused."""
    with _tags_of(owner):
        _demand_free(owner, clean(name))
        return _new(owner, clean(name), colour)


def called(owner: User, names: Iterable[str]) -> list[Tag]:
    """The tags of these names, whatever their case; those that are missing are made. Raises Refused."""
    with _tags_of(owner):
        return list({tag.pk: tag for tag in (_called(owner, clean(name)) for name in names)}.values())


def change(tag: Tag, *, name: str | None = None, colour: int | None = None) -> Tag:
    """Another name or colour. Raises Refused."""
    with _arranging(tag.owner, _tagged(tag).values_list("pk", flat=True)):
        if name is not None and clean(name) != tag.name:
            _demand_free(tag.owner, clean(name), but=tag)
            tag.name = clean(name)
        tag.colour = tag.colour if colour is None else colour % COLOURS
        # One that was deleted meanwhile stays so.
        Tag.objects.filter(pk=tag.pk).update(name=tag.name, colour=tag.colour)
        search.reindex_heads(list(_tagged(tag)))
    return tag


def remove(tag: Tag) -> None:
    """The recordings stay."""
    with _arranging(tag.owner, _tagged(tag).values_list("pk", flat=True)):
        jobs = list(_tagged(tag))
        tag.delete()
        search.reindex_heads(jobs)


def put_on(owner: User, tags: Sequence[Tag], jobs: Iterable[int]) -> None:
    """All of the tags are the owner's. One that was deleted meanwhile is left out."""
    with _arranging(owner, jobs) as there:
        through, known = Tag.jobs.through, Tag.objects.filter(owner=owner, pk__in=[tag.pk for tag in tags])
        rows = [through(tag=tag, job=job) for tag in known for job in there]
        through.objects.bulk_create(rows, ignore_conflicts=True)
        search.reindex_heads(there)


def take_off(owner: User, tags: Sequence[Tag], jobs: Iterable[int]) -> None:
    with _arranging(owner, jobs) as there:
        Tag.jobs.through.objects.filter(tag__in=tags, job__in=there).delete()
        search.reindex_heads(there)


def replace(owner: User, job: int, tags: Sequence[Tag]) -> None:
    """The job has these tags of the owner's, and no others of theirs."""
    with _arranging(owner, [job]):
        Tag.jobs.through.objects.filter(tag__owner=owner, job=job).exclude(tag__in=tags).delete()
        put_on(owner, tags, [job])


@contextmanager
def _arranging(owner: User, jobs: Iterable[int]) -> Iterator[list[Job]]:
    """The jobs that are still there, locked, so that what the search is told of them is so.

    They are locked before their owner, as a restart does, and always in one order: so two that meet never wait for each other.
    """
    with transaction.atomic():
        there = list(Job.objects.select_for_update().filter(pk__in=list(jobs)).order_by("pk"))
        with _tags_of(owner):
            yield there


@contextmanager
def _tags_of(owner: User) -> Iterator[None]:
    """One at a time, so that there are never too many and never two of a name."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk", flat=True).first()
        yield


def _called(owner: User, name: str) -> Tag:
    return Tag.objects.filter(owner=owner, name__iexact=name).first() or _new(owner, name, None)


def _new(owner: User, name: str, colour: int | None) -> Tag:
    count = Tag.objects.filter(owner=owner).count()
    if count >= MOST_TAGS:
        raise Refused(_("You have as many tags as this server keeps. Delete one first."))
    return Tag.objects.create(owner=owner, name=name, colour=(count if colour is None else colour) % COLOURS)


def _demand_free(owner: User, name: str, but: Tag | None = None) -> None:
    taken = Tag.objects.filter(owner=owner, name__iexact=name)
    if any(tag != but for tag in taken):
        raise Refused(_("You have a tag of this name."))


def _tagged(tag: Tag) -> QuerySet[Job]:
    """Those of the owner's jobs that have it: a tag on somebody else's is not searched."""
    return tag.jobs.filter(owner=tag.owner_id)
