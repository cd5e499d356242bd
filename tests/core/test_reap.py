"""Files that no job knows are deleted after a day; those of a job never."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import intake, uploads
from whisper_jobs.intake import Submission
from whisper_jobs.models import Job

TWO_DAYS = 2 * 24 * 3600


@pytest.fixture(autouse=True)
def _storage_of_its_own(settings: Any, tmp_path: Path) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": files}


def store(name: str = "original", *, media: str = "", age: float = TWO_DAYS) -> str:
    """A file that old, beside `media` or in a folder of its own."""
    stored = media or uploads.store_original(ContentFile(b"sound", name="x"))
    if name != "original":
        stored = default_storage.save(uploads.beside(stored, name), ContentFile(b"window"))
    os.utime(default_storage.path(stored), (time.time() - age,) * 2)
    return stored


def test_an_old_original_without_a_job_goes(db: None) -> None:
    orphan, young = store(), store(age=3600)
    assert uploads.reap_orphans() == 1
    assert not default_storage.exists(orphan.rsplit("/", 1)[0])
    assert default_storage.exists(young)


def test_the_original_of_a_job_stays_however_old(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    media = store()
    window = store("w.wav", media=media)
    Job.objects.filter(pk=job.pk).update(media=media)
    assert uploads.reap_orphans() == 0
    assert default_storage.exists(media)
    assert default_storage.exists(window)


def test_a_window_stored_after_its_job_was_deleted_goes_too(db: None) -> None:
    late = store("w.wav", media="media/deleted/original")
    young = store("w.wav", media="media/just-deleted/original", age=3600)
    assert uploads.reap_orphans() == 1
    assert not default_storage.exists(late)
    assert default_storage.exists(young)


def test_looking_for_orphans_takes_three_queries_for_many_folders(
    db: None, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BATCH", 4)
    for _ in range(8):
        store()
    with django_assert_num_queries(6):
        assert uploads.reap_orphans() == 8


@pytest.mark.django_db(transaction=True)
def test_an_accepted_upload_stays_when_the_process_is_interrupted_after_the_commit(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("whisper_jobs.doorbell.ring", interrupted)
    with pytest.raises(KeyboardInterrupt):
        intake.submit(Submission(owner=alice, media_file=SimpleUploadedFile("a.wav", b"sound")))
    assert default_storage.exists(Job.objects.get().media)


@pytest.mark.django_db(transaction=True)
def test_a_bell_or_push_that_fails_does_not_fail_what_is_committed(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("whisper_jobs.doorbell.ring", broken)
    monkeypatch.setattr("whisper_jobs.broadcast.push", broken)
    intake.submit(Submission(owner=alice, media_file=SimpleUploadedFile("a.wav", b"sound")))
    assert default_storage.exists(Job.objects.get().media)
