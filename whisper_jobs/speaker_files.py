"""What a speaker handed in, as files in storage: a folder for each, named by the speaker's key. Nothing a user typed is a path."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from whisper_jobs.models import Speaker

log = logging.getLogger(__name__)
_ROOT = "voices"
KINDS = ("reference", "consent")
#: A folder without a speaker is left alone for so long: its row is being made.
ORPHAN_AGE = timedelta(hours=1)


def name_of(speaker_id: UUID, kind: str) -> str:
    return f"{_ROOT}/{speaker_id}/{kind}"


def store(speaker_id: UUID, kind: str, file: File[Any]) -> str:
    """Moves the file into storage and returns its name there. Raises OSError when the disk is full."""
    file.seek(0)
    name: str = default_storage.save(name_of(speaker_id, kind), file)
    # Where storage has moved it, whoever collects the object would look for it in vain, and complain.
    file.close()
    return name


def remove(speaker_id: UUID) -> int:
    """Deletes all that is there, and returns how many files that were. Raises OSError; what is left can be deleted again."""
    folder = f"{_ROOT}/{speaker_id}"
    names = _names_in(folder)
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    default_storage.delete(folder)
    return len(names)


def _names_in(folder: str) -> list[str]:
    try:
        return list(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return []


def reap_orphans() -> int:
    """Deletes folders of speakers who are not there, left by a process that died. Returns how many."""
    try:
        names = default_storage.listdir(_ROOT)[0]
    except FileNotFoundError:
        return 0
    folders = dict(_keys(names))
    there = set(Speaker.objects.filter(pk__in=folders, tombstoned_at=None).values_list("pk", flat=True))
    orphans = [speaker_id for speaker_id in folders if speaker_id not in there and _is_old(speaker_id)]
    return sum(_removed(speaker_id) for speaker_id in orphans)


def _keys(names: Iterable[str]) -> Iterable[tuple[UUID, str]]:
    for name in names:
        try:
            yield UUID(name), name
        except ValueError:
            log.warning("there is something unknown among the voices: %s", name)


def _is_old(speaker_id: UUID) -> bool:
    folder, old = f"{_ROOT}/{speaker_id}", timezone.now() - ORPHAN_AGE
    try:
        names = [f"{folder}/{name}" for name in _names_in(folder)] or [folder]
        return all(default_storage.get_modified_time(name) < old for name in names)
    except FileNotFoundError:
        return False


def _removed(speaker_id: UUID) -> bool:
    try:
        remove(speaker_id)
    except OSError as error:
        log.warning("could not delete the files of speaker %s: %s", speaker_id, error)
        return False
    return True
