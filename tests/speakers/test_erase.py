"""DELETE /v1/modules/scaiecho/speakers/{id}: nothing of the voice and nothing about the person stays, whatever dies meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.core.play import Stage
from tests.speakers.conftest import Enroll, voice
from whisper_jobs import speaker_erasure, speaker_files, speaker_unlinking, voices
from whisper_jobs.models import (
    AuditEntry,
    Correction,
    Diarization,
    EnrollmentStatus,
    HowNamed,
    Job,
    JobVoice,
    Replica,
    Scope,
    Speaker,
    VoiceSample,
    Worker,
)
from whisper_jobs.speaker_nodes import Node
from whisper_jobs.voices import shelf

URL = "/v1/modules/scaiecho/speakers"
Api = Callable[[User | None], APIClient]
LEFT = {
    "id",
    "tenant_id",
    "owner_id",
    "scope",
    "enrollment_status",
    "voice_version",
    "created_at",
    "changed_at",
    "tombstoned_at",
}


def erased(api: Api, user: User, speaker: Speaker) -> Any:
    response = api(user).delete(f"{URL}/{speaker.pk}")
    assert response.status_code == 200, response.json()
    return response.json()["data"]


def heard_in(job: Job, speaker: Speaker, how: HowNamed = HowNamed.RECOGNISED) -> JobVoice:
    """As recognition leaves it: who is who stands in the job's list of speakers, and the voice in a row."""
    link = {"speaker_id": str(speaker.pk), "name": "Ada", "how": how.value, "score": 0.9, "learns": False}
    speakers = [
        {"label": "SPEAKER_00", "name": "Ada", "seconds": 5.0, "link": link},
        {"label": "SPEAKER_01", "name": None, "seconds": 2.0},
    ]
    Diarization.objects.update_or_create(job=job, defaults={"speakers": speakers})
    return JobVoice.objects.create(
        job=job,
        label="SPEAKER_00",
        encoder="campplus-192",
        sealed=voices.seal(voice(1)),
        seconds=5.0,
        speaker=speaker,
        how=how,
        score=0.9,
    )


def test_a_receipt_tells_what_was_erased(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    speaker = enroll(ada)
    node.follow(speaker.pk)
    told = erased(api, ada, speaker)
    assert (told["speaker_id"], told["blobs_deleted"], told["vectors_deleted"]) == (str(speaker.pk), 2, 1)
    assert (told["replicas_evicted"], told["replicas_pending"]) == (1, [])
    entry = AuditEntry.objects.get()
    assert told["audit_id"] == entry.pk and entry.action == "speaker.erased" and entry.actor_id == ada.pk
    assert told["tombstoned_at"] and shelf.versions() == {}
    assert default_storage.listdir("voices") == ([], [])
    assert voices.book_for(ada) == []


def test_of_the_row_only_key_tenant_and_times_are_left(api: Api, ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada, description="Chairs the meetings.", consent_stated_purpose="Minutes", preflight={"ok": True})
    erased(api, ada, speaker)
    row = Speaker.objects.values().get(pk=speaker.pk)
    assert {name for name, value in row.items() if value not in ("", {})} == LEFT
    assert row["enrollment_status"] == EnrollmentStatus.EVICTED


def test_an_erased_speaker_is_not_there(api: Api, ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada)
    erased(api, ada, speaker)
    for answer in (
        api(ada).get(f"{URL}/{speaker.pk}"),
        api(ada).patch(f"{URL}/{speaker.pk}", {"display_name": "x"}, format="json"),
        api(ada).get(f"{URL}/{speaker.pk}/warm"),
        api(ada).post(f"{URL}/{speaker.pk}/warm"),
    ):
        assert answer.status_code == 404
    assert api(ada).get(URL).json()["data"]["speakers"] == []


def test_it_can_be_called_again_by_who_may(api: Api, ada: User, ben: User, enroll: Enroll) -> None:
    speaker = enroll(ada, scope=Scope.TENANT)
    first, second = erased(api, ada, speaker), erased(api, ada, speaker)
    assert second == {**first, "blobs_deleted": 0, "vectors_deleted": 0}
    assert api(ben).delete(f"{URL}/{speaker.pk}").status_code == 404
    assert AuditEntry.objects.count() == 1


def test_recordings_name_an_erased_speaker_no_more(api: Api, ada: User, enroll: Enroll, stage: Stage) -> None:
    speaker, job = enroll(ada), stage.completed(ada)
    heard_in(job, speaker)
    before = Diarization.objects.get(job=job).speakers
    Correction.objects.create(
        job=job,
        number=1,
        kind="speakers",
        at=timezone.now(),
        request_id=speaker.pk,
        speakers={"before": before, "after": before},
    )
    assert erased(api, ada, speaker)["recordings_unlinked"] == 1
    row = JobVoice.objects.get()
    assert (row.speaker, row.how, row.score, row.sealed) == (None, "", None, "")
    told = str((Diarization.objects.get(job=job).speakers, Correction.objects.get().speakers))
    assert "Ada" not in told and str(speaker.pk) not in told and "SPEAKER_01" in told


def test_a_name_that_a_person_gave_stays_as_text(api: Api, ada: User, enroll: Enroll, stage: Stage) -> None:
    speaker, job = enroll(ada), stage.completed(ada)
    heard_in(job, speaker, HowNamed.NAMED)
    erased(api, ada, speaker)
    assert Diarization.objects.get(job=job).speakers[0] == {"label": "SPEAKER_00", "name": "Ada", "seconds": 5.0}


def test_the_transcript_is_put_together_without_the_name(api: Api, ada: User, enroll: Enroll, stage: Stage) -> None:
    speaker, job = enroll(ada), stage.completed(ada)
    heard_in(job, speaker)
    revision = Job.objects.get(pk=job.pk).revision
    erased(api, ada, speaker)
    job = Job.objects.get(pk=job.pk)
    assert job.transcript.is_stale and job.revision > revision


def test_other_speakers_stay(api: Api, ada: User, enroll: Enroll, stage: Stage) -> None:
    one, other, job = enroll(ada, number=1), enroll(ada, "Bea", number=2), stage.completed(ada)
    heard_in(job, other)
    erased(api, ada, one)
    assert default_storage.exists(other.reference) and JobVoice.objects.get().speaker == other
    assert [key for key, _voice in voices.book_for(ada)] == [other.pk]


@pytest.mark.usefixtures("hasty")
def test_a_worker_that_does_not_answer_is_told_of_and_one_that_is_gone_holds_nothing(
    api: Api, ada: User, enroll: Enroll
) -> None:
    speaker = enroll(ada)
    Worker.objects.create(name="up:1:1/speech", lane="speech", host="up", pid=1, born=1.0, seen_at=timezone.now())
    for name in ("up:1:1/speech", "gone:2:2/speech"):
        Replica.objects.create(speaker=speaker, node=name, state="warm", at=timezone.now())
    told = erased(api, ada, speaker)
    assert (told["replicas_evicted"], told["replicas_pending"]) == (1, ["up:1:1/speech"])


class Stop(BaseException):
    """The process dies here."""


def dying(*args: object, **kwargs: object) -> None:
    raise Stop


@pytest.mark.parametrize("where", ["speaker_files.remove", "speaker_unlinking.unlink", "speaker_nodes.evict"])
def test_what_a_crash_cuts_short_the_clean_up_ends(
    ada: User, enroll: Enroll, stage: Stage, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    speaker = enroll(ada)
    heard_in(stage.completed(ada), speaker)
    with monkeypatch.context() as patched:
        patched.setattr(f"whisper_jobs.speaker_erasure.{where}", dying)
        with pytest.raises(Stop):
            speaker_erasure.erase(speaker.pk, actor=ada)
    assert voices.book_for(ada) == []
    speaker_erasure.reap()
    assert default_storage.listdir("voices") == ([], [])
    assert Speaker.objects.get().reference == "" and JobVoice.objects.get().speaker is None
    assert speaker_erasure.reap() == 0


def test_what_can_t_be_deleted_now_is_deleted_later(
    api: Api, ada: User, enroll: Enroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = enroll(ada)
    with monkeypatch.context() as patched:

        def refuse(self: object, name: str) -> None:
            raise OSError(30, "read-only")

        patched.setattr(FileSystemStorage, "delete", refuse)
        assert api(ada).delete(f"{URL}/{speaker.pk}").status_code == 500
        assert speaker_erasure.reap() == 0
    assert voices.book_for(ada) == []
    assert speaker_erasure.reap() == 1
    assert default_storage.listdir("voices") == ([], [])


def test_files_without_a_speaker_are_cleared_away_after_a_while(ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada)
    ada.delete()
    speaker_erasure.reap()
    assert default_storage.exists(speaker.reference)
    old = (timezone.now() - speaker_files.ORPHAN_AGE - timedelta(minutes=1)).timestamp()
    for kind in speaker_files.KINDS:
        os.utime(default_storage.path(speaker_files.name_of(speaker.pk, kind)), (old, old))
    speaker_erasure.reap()
    assert default_storage.listdir("voices") == ([], [])


def test_files_of_a_speaker_are_never_cleared_away(ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada)
    for kind in speaker_files.KINDS:
        os.utime(default_storage.path(speaker_files.name_of(speaker.pk, kind)), (1, 1))
    speaker_erasure.reap()
    assert default_storage.exists(speaker.reference) and default_storage.exists(speaker.consent)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="there is a database file to look into only there")
def test_no_byte_stays_in_the_database_file(ada: User, enroll: Enroll) -> None:
    name, text = "Ada Unforgettable", "I agree to be remembered."
    speaker = enroll(ada, name, consent_text=text)
    sealed = VoiceSample.objects.get().sealed
    speaker_erasure.erase(speaker.pk, actor=ada)
    files = Path(settings.DATABASES["default"]["NAME"])
    held = b"".join(one.read_bytes() for one in files.parent.glob(f"{files.name}*"))
    assert str(speaker.pk).replace("-", "").encode() in held
    for one in (name, text, sealed):
        assert one.encode() not in held


def test_nobody_is_unlinked_who_is_not_meant(ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada)
    others = [{"label": "SPEAKER_00", "name": "Ada", "seconds": 1.0}]
    assert speaker_unlinking.without(others, speaker.pk) == others
