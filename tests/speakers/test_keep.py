"""Voices as rows and in a worker's memory: whose are compared, and that none is used that should not be."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.core.play import Stage
from tests.speakers.conftest import Enroll, voice
from whisper_jobs import presence, speaker_nodes, voices
from whisper_jobs.models import EnrollmentStatus, Replica, Scope, Speaker, VoiceSample
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.speaker_nodes import Node
from whisper_jobs.voices import shelf


def book(user: User) -> list[str]:
    found = {speaker.pk: speaker.display_name for speaker in Speaker.objects.all()}
    return [found[key] for key, _voice in voices.book_for(user)]


def test_a_vector_comes_back_as_it_was_and_is_not_readable_in_its_row(ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada, number=7)
    [(key, vector)] = voices.book_for(ada)
    assert key == speaker.pk and np.allclose(vector, voice(7), atol=1e-6)
    sealed = VoiceSample.objects.get().sealed
    assert voice(7).tobytes() not in sealed.encode() and voices.seal(voice(7)) != sealed
    assert voices.load("") is None and voices.load("gAAAA") is None


def test_recordings_are_compared_with_the_own_the_tenant_s_and_everybody_s_voices(
    ada: User, ben: User, eve: User, admin: User, enroll: Enroll
) -> None:
    enroll(ada, "mine", number=1)
    enroll(ada, "ours", number=2, scope=Scope.TENANT)
    enroll(admin, "everybody's", number=3, scope=Scope.GLOBAL)
    enroll(ada, "waiting", number=4, status=EnrollmentStatus.PENDING)
    assert book(ada) == ["mine", "ours", "everybody's"]
    assert book(ben) == ["ours", "everybody's"]
    assert book(eve) == ["everybody's"]
    # Who may manage all does not have all recognised.
    assert book(admin) == ["ours", "everybody's"]


def test_of_two_profiles_of_one_voice_the_nearer_counts(ada: User, ben: User, enroll: Enroll) -> None:
    enroll(ada, "ours", number=1, scope=Scope.TENANT)
    enroll(ben, "mine", number=1)
    enroll(ben, "somebody else", number=2)
    assert book(ben) == ["mine", "somebody else"]
    assert book(ada) == ["ours"]


def test_what_is_learnt_moves_the_voice_and_goes_with_the_job(
    ada: User, enroll: Enroll, stage: Stage, node: Node
) -> None:
    speaker, job = enroll(ada, number=1), stage.submit(ada)
    voices.store(speaker.pk, voice(2), seconds=10.0, job=job, label="SPEAKER_00")
    [(_key, vector)] = voices.book_for(ada)
    assert np.allclose(vector @ voice(1), vector @ voice(2), atol=1e-3) and vector @ voice(1) > 0.6
    job.delete()
    [(_key, vector)] = voices.book_for(ada)
    assert np.allclose(vector, voice(1), atol=1e-6)


def test_what_was_learnt_can_be_taken_back(ada: User, enroll: Enroll, stage: Stage, node: Node) -> None:
    speaker, job = enroll(ada, number=1), stage.submit(ada)
    voices.store(speaker.pk, voice(2), seconds=10.0, job=job, label="SPEAKER_00")
    voices.book_for(ada)
    voices.forget(speaker.pk, job, "SPEAKER_00")
    assert np.allclose(voices.book_for(ada)[0][1], voice(1), atol=1e-6)


def test_the_newest_of_what_was_learnt_is_kept(ada: User, enroll: Enroll, stage: Stage) -> None:
    speaker, job = enroll(ada), stage.submit(ada)
    for number in range(voices.MOST_LEARNT + 3):
        voices.store(speaker.pk, voice(number), seconds=5.0, job=job, label=f"SPEAKER_{number:02}")
    labels = VoiceSample.objects.filter(job__isnull=False).order_by("id").values_list("label", flat=True)
    assert labels[0] == "SPEAKER_03" and len(labels) == voices.MOST_LEARNT
    assert VoiceSample.objects.filter(job=None).count() == 1


def test_an_erased_speaker_learns_nothing(ada: User, enroll: Enroll, stage: Stage) -> None:
    speaker = enroll(ada)
    Speaker.objects.update(tombstoned_at=speaker.created_at)
    assert voices.store(speaker.pk, voice(1), seconds=5.0, job=stage.submit(ada), label="SPEAKER_00") is None
    assert VoiceSample.objects.count() == 1


def test_a_worker_opens_a_voice_once(ada: User, enroll: Enroll, node: Node) -> None:
    enroll(ada)
    first = voices.book_for(ada)
    with CaptureQueriesContext(connection) as captured:
        second = voices.book_for(ada)
    assert first[0][1] is second[0][1]
    assert not any("sealed" in query["sql"] for query in captured)


def test_only_workers_keep_voices(ada: User, enroll: Enroll) -> None:
    enroll(ada)
    voices.book_for(ada)
    assert shelf.versions() == {}


@pytest.mark.parametrize("end", [{"enrollment_status": EnrollmentStatus.FAILED}, {"scope": Scope.USER, "owner": None}])
def test_a_held_voice_is_not_used_once_the_rows_say_otherwise(
    ada: User, ben: User, enroll: Enroll, node: Node, end: dict[str, object]
) -> None:
    enroll(ada, scope=Scope.TENANT)
    assert len(voices.book_for(ben)) == 1
    Speaker.objects.update(**{name: value or ada for name, value in end.items()})
    assert voices.book_for(ben) == []


def test_a_worker_tells_what_it_has_opened_and_what_it_let_go_with_its_heartbeat(
    ada: User, enroll: Enroll, node: Node
) -> None:
    speaker = enroll(ada)
    voices.book_for(ada)
    speaker_nodes.keep()
    row = Replica.objects.get()
    assert (row.speaker_id, row.node, row.state, row.voice_version) == (speaker.pk, node.name, "warm", 1)
    Speaker.objects.update(tombstoned_at=speaker.created_at, enrollment_status=EnrollmentStatus.EVICTED)
    speaker_nodes.keep()
    assert shelf.versions() == {} and Replica.objects.get().state == "evicted"


def test_the_heart_lets_go_whatever_its_worker_is_at(ada: User, enroll: Enroll, node: Node) -> None:
    """A worker at work hears no message until it is done."""
    speaker = enroll(ada)
    node.follow(speaker.pk)
    Speaker.objects.update(tombstoned_at=speaker.created_at)
    Heart(["speech"], beat_seconds=60.0, limits={}).beat()
    assert shelf.versions() == {}


def test_a_deleted_user_s_voices_leave_the_memory_too(ada: User, enroll: Enroll, node: Node) -> None:
    node.follow(enroll(ada).pk)
    ada.delete()
    speaker_nodes.keep()
    assert shelf.versions() == {}


def test_what_workers_that_are_gone_have_said_is_forgotten(ada: User, enroll: Enroll, node: Node) -> None:
    node.follow(enroll(ada).pk)
    assert speaker_nodes.forget_gone() == 0
    presence.gone(presence.me().name)
    assert speaker_nodes.forget_gone() == 1
