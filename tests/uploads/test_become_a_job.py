"""A whole upload becomes one job; whatever dies in between, nothing is lost and nothing is left for ever."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from whisper_jobs import intake, resumable, uploads
from whisper_jobs.intake import Submission
from whisper_jobs.models import Job, Upload, UploadPart

JOBS = "/api/whisper/jobs"
SOUND = b"RIFF" + bytes(range(256)) * 40


def folders(media: Path) -> int:
    return len(list(media.glob("*")))


def submit(api: Any, user: User, upload_id: str) -> Any:
    return api(user).post(JOBS, {"upload_id": upload_id}, format="json")


def test_an_upload_becomes_a_job_with_its_name_and_hash(tus: Any, api: Any, alice: User, media: Path) -> None:
    answer = submit(api, alice, tus(alice).whole(SOUND))
    assert answer.status_code == 201, answer.json()
    job = Job.objects.get()
    assert (job.source_filename, job.source_mime) == ("Intervju på torsdag.wav", "audio/wav")
    assert (job.source_sha256, job.source_size_bytes) == (hashlib.sha256(SOUND).hexdigest(), len(SOUND))
    with default_storage.open(job.media) as stored:
        assert stored.read() == SOUND
    assert folders(media) == 1


def test_a_single_piece_is_stored_once_and_never_copied(tus: Any, alice: User, media: Path) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND)
    (stored,) = media.glob("*/*")
    assert default_storage.path(Upload.objects.get().media) == str(stored)


def test_pieces_become_one_file_in_their_order(tus: Any, api: Any, alice: User, media: Path) -> None:
    path = tus(alice).begin(len(SOUND))
    for start in range(0, len(SOUND), 1000):
        assert tus(alice).send(path, SOUND[start : start + 1000], offset=start).status_code == 204
    submit(api, alice, path.rpartition("/")[2])
    job = Job.objects.get()
    assert job.source_sha256 == hashlib.sha256(SOUND).hexdigest()
    with default_storage.open(job.media) as stored:
        assert stored.read() == SOUND
    assert (folders(media), UploadPart.objects.count()) == (1, 0)


def test_an_upload_makes_one_job(tus: Any, api: Any, alice: User) -> None:
    upload_id = tus(alice).whole(SOUND)
    assert submit(api, alice, upload_id).status_code == 201
    refused = submit(api, alice, upload_id)
    assert refused.status_code == 422
    assert "has a job already" in refused.json()["message"]
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_job(tus: Any, alice: User) -> None:
    upload_id = tus(alice).whole(SOUND)
    made: list[Job] = []
    refused: list[resumable.Refused] = []

    def hand_in() -> None:
        try:
            made.append(intake.submit(Submission(owner=alice, upload_id=Upload.objects.get().pk)))
        except resumable.Refused as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=hand_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 3)
    assert str(Upload.objects.get().pk) == upload_id


def test_somebody_else_s_upload_is_unknown(tus: Any, api: Any, alice: User, bob: User) -> None:
    refused = submit(api, bob, tus(alice).whole(SOUND))
    assert refused.status_code == 422
    assert "There is no such upload" in refused.json()["message"]


def test_half_an_upload_is_not_taken(tus: Any, api: Any, alice: User) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:10])
    refused = submit(api, alice, path.rpartition("/")[2])
    assert refused.status_code == 422
    assert "not complete yet" in refused.json()["message"]
    assert tus(alice).offset(path) == 10


@pytest.mark.parametrize("upload_id", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_nonsense_is_refused(api: Any, alice: User, upload_id: str) -> None:
    assert submit(api, alice, upload_id).status_code == 422


def test_a_job_that_fails_to_be_made_leaves_the_upload(tus: Any, alice: User, media: Path) -> None:
    upload_id = tus(alice).whole(SOUND)
    with transaction.atomic():
        resumable.take(alice, upload_id)
        transaction.set_rollback(True)
    assert resumable.take(alice, upload_id).sha256 == hashlib.sha256(SOUND).hexdigest()
    assert folders(media) == 1


def test_who_died_before_the_file_was_whole_is_made_up_for(tus: Any, api: Any, alice: User, monkeypatch: Any) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])
    with monkeypatch.context() as dying:
        dying.setattr(resumable, "complete", lambda upload: None)
        tus(alice).send(path, SOUND[100:], offset=100)
    assert Upload.objects.get().media == ""
    assert submit(api, alice, path.rpartition("/")[2]).status_code == 201
    assert Job.objects.get().source_sha256 == hashlib.sha256(SOUND).hexdigest()


def test_two_who_make_it_whole_at_once_leave_one_file(tus: Any, alice: User, media: Path, monkeypatch: Any) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])
    join, first = resumable._join, list[bool]()

    def meanwhile(parts: list[UploadPart]) -> Any:
        if not first:
            first.append(True)
            resumable.complete(Upload.objects.get())
        return join(parts)

    monkeypatch.setattr(resumable, "_join", meanwhile)
    assert tus(alice).send(path, SOUND[100:], offset=100).status_code == 204
    assert folders(media) == 1
    assert resumable.take(alice, path.rpartition("/")[2]).size_bytes == len(SOUND)


def test_a_piece_that_lost_the_race_leaves_no_file(tus: Any, alice: User, media: Path, monkeypatch: Any) -> None:
    path = tus(alice).begin(len(SOUND))
    stored = resumable._stored

    def overtaken(piece: resumable.Piece) -> str:
        Upload.objects.update(offset_bytes=7)
        return stored(piece)

    monkeypatch.setattr(resumable, "_stored", overtaken)
    assert tus(alice).send(path, SOUND[:100]).status_code == 409
    assert (folders(media), UploadPart.objects.count(), tus(alice).offset(path)) == (0, 0, 7)


@pytest.mark.parametrize("line", ["_stored", "_check", "_count_in"])
def test_a_disk_that_fills_up_keeps_what_was_there(
    tus: Any, alice: User, media: Path, monkeypatch: Any, line: str
) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])

    def full(*args: Any, **kwargs: Any) -> Any:
        raise resumable._disk_full()

    with monkeypatch.context() as filling:
        filling.setattr(resumable, line, full)
        refused = tus(alice).send(path, SOUND[100:], offset=100)
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert (tus(alice).offset(path), folders(media)) == (100, 1)
    assert tus(alice).send(path, SOUND[100:], offset=100).status_code == 204


def test_a_storage_without_space_is_told_as_a_full_disk(tus: Any, alice: User, media: Path, monkeypatch: Any) -> None:
    path = tus(alice).begin(len(SOUND))

    def full(name: str, content: Any, **kwargs: Any) -> str:
        Path(default_storage.path(name)).parent.mkdir(parents=True)
        Path(default_storage.path(name)).write_bytes(content.read(50))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as filling:
        filling.setattr(default_storage, "save", full)
        assert tus(alice).send(path, SOUND).status_code == 507
    assert (tus(alice).offset(path), folders(media)) == (0, 0)


def test_what_nobody_goes_on_with_is_reaped(tus: Any, alice: User, media: Path) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])
    tus(alice).send(path, SOUND[100:200], offset=100)
    tus(alice).whole(SOUND)
    young = tus(alice).begin(5)
    Upload.objects.exclude(pk=young.rpartition("/")[2]).update(expires_at=timezone.now())
    assert resumable.reap() == 2
    assert (folders(media), Upload.objects.count()) == (0, 1)
    assert tus(alice).ask("HEAD", path).status_code == 404


def test_reaping_leaves_a_job_its_recording(tus: Any, api: Any, alice: User) -> None:
    submit(api, alice, tus(alice).whole(SOUND))
    Upload.objects.update(expires_at=timezone.now())
    assert resumable.reap() == 1
    assert default_storage.exists(Job.objects.get().media)


def test_every_piece_moves_the_end_on(tus: Any, alice: User) -> None:
    path = tus(alice).begin(len(SOUND))
    soon = timezone.now() + timedelta(minutes=1)
    Upload.objects.update(expires_at=soon)
    tus(alice).send(path, SOUND[:10])
    assert Upload.objects.get().expires_at > soon + timedelta(hours=23)


def test_pieces_and_whole_files_are_no_orphans_however_old(
    tus: Any, alice: User, media: Path, monkeypatch: Any
) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])
    tus(alice).whole(SOUND)
    monkeypatch.setattr(uploads, "ORPHAN_AGE", timedelta(seconds=-1))
    assert uploads.reap_orphans() == 0
    assert folders(media) == 2
    Upload.objects.all().delete()
    assert uploads.reap_orphans() == 2
