"""Deleting takes rows, files and counts, and refuses while a job is being worked on."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import lifecycle, queries, uploads
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed


@pytest.mark.django_db(transaction=True)
def test_rows_files_and_counts_go(stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    media = uploads.store_original(ContentFile(b"sound", name="x"))
    beside = default_storage.save(uploads.beside(media, "w.wav"), ContentFile(b"window"))
    Job.objects.filter(pk=job.pk).update(media=media)
    lifecycle.delete(job.pk)
    assert not (Job.objects.exists() or Step.objects.exists() or Segment.objects.exists())
    assert not (default_storage.exists(media) or default_storage.exists(beside))
    assert sum(queries.summary(alice).values()) == 0


@pytest.mark.django_db(transaction=True)
def test_a_file_that_cannot_be_deleted_does_not_keep_the_job(stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    media = uploads.store_original(ContentFile(b"sound", name="x"))
    default_storage.save(uploads.beside(media, "inner/late.wav"), ContentFile(b"window"))
    Job.objects.filter(pk=job.pk).update(media=media)
    lifecycle.delete(job.pk)
    assert not Job.objects.exists()


def test_a_job_that_is_being_processed_stays(stage: Stage, alice: User) -> None:
    job = stage.fetched(alice)
    with pytest.raises(NotAllowed):
        lifecycle.delete(job.pk)
    assert Job.objects.filter(pk=job.pk).exists()


def test_a_queued_job_can_be_deleted(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    lifecycle.delete(job.pk)
    assert lifecycle.claim("fetch", "w") is None


def test_deleting_twice_says_that_it_is_gone(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    lifecycle.delete(job.pk)
    with pytest.raises(Gone):
        lifecycle.delete(job.pk)
