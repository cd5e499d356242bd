"""The trash: out of sight at once, back as it was, gone for good after a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from sharing.models import Share
from tests.core.play import Stage, fresh
from tests.library.conftest import Find, Recording
from whisper_jobs import broadcast, lifecycle, queries, trash
from whisper_jobs.live import snapshots
from whisper_jobs.models import Channel, Job
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Stage as JobStage

Visit = Callable[[User | None], Client]
Api = Callable[[User | None], APIClient]


def test_what_is_in_the_trash_is_seen_nowhere_else(recording: Recording, find: Find, alice: User, admin: User) -> None:
    job = recording(alice, "Talk", ["hello"])
    trash.discard(job.pk)
    assert find(alice, "hello") == []
    assert not queries.visible_jobs(alice).exists()
    assert not queries.visible_jobs(admin).exists()
    assert snapshots.job(alice, job.pk, None) is None
    assert list(queries.trashed_jobs(alice)) == [job]


def test_others_do_not_see_it_in_their_trash(recording: Recording, alice: User, bob: User, charlie: User) -> None:
    job = recording(alice, "Talk")
    trash.discard(job.pk)
    assert not queries.trashed_jobs(bob).exists()
    assert list(queries.trashed_jobs(charlie)) == [job]


def test_it_is_counted_no_more_and_counted_again(stage: Stage, alice: User) -> None:
    job, _other = stage.completed(alice), stage.completed(alice)
    trash.discard(job.pk)
    trash.discard(job.pk)
    assert queries.summary(alice)["completed"] == 1
    trash.restore(job.pk)
    trash.restore(job.pk)
    assert queries.summary(alice)["completed"] == 2
    trash.discard(job.pk)
    lifecycle.delete(job.pk)
    assert queries.summary(alice)["completed"] == 1


def test_it_comes_back_as_it_was(recording: Recording, find: Find, alice: User) -> None:
    job = recording(alice, "Talk", ["hello"])
    trash.discard(job.pk)
    trash.restore(job.pk)
    assert find(alice, "hello") == ["Talk"]
    assert fresh(job).stage == JobStage.COMPLETED


def test_a_job_at_work_is_refused(stage: Stage, alice: User) -> None:
    job = stage.fetched(alice)
    with pytest.raises(NotAllowed, match="Cancel it first"):
        trash.discard(job.pk)
    assert fresh(job).trashed_at is None


def test_a_queued_job_is_cancelled_and_thrown_away(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    trash.discard(job.pk)
    assert lifecycle.claim("fetch", "w") is None
    assert sum(queries.summary(alice).values()) == 0
    trash.restore(job.pk)
    assert (fresh(job).failure_code, queries.summary(alice)["failed"]) == ("cancelled", 1)


def test_a_queued_job_that_a_worker_has_just_taken_is_refused_whole(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    assert lifecycle.claim("speech", "w") is not None
    with pytest.raises(NotAllowed):
        trash.discard(job.pk)
    assert (fresh(job).cancel_requested_at, fresh(job).trashed_at) == (None, None)


def test_a_failed_job_in_the_trash_is_not_restarted(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    trash.discard(job.pk)
    with pytest.raises(NotAllowed, match="in the trash"):
        lifecycle.restart(job.pk)


def test_its_share_is_closed_and_opens_again(stage: Stage, alice: User, visit: Visit) -> None:
    job = stage.completed(alice, channel=Channel.API)
    address = f"/shared/whisper/transcript/{Share.objects.get(job=job).token}"

    def status() -> int:
        return visit(None).head(address).status_code

    assert status() == 200
    trash.discard(job.pk)
    assert status() == 410
    trash.restore(job.pk)
    assert status() == 200


def test_after_its_days_it_is_deleted(stage: Stage, alice: User) -> None:
    old, young, kept = stage.completed(alice), stage.completed(alice), stage.completed(alice)
    for job, days in ((old, 31), (young, 29)):
        trash.discard(job.pk)
        Job.objects.filter(pk=job.pk).update(trashed_at=timezone.now() - timedelta(days=days))
    assert trash.reap(timedelta(days=30)) == 1
    assert set(Job.objects.values_list("pk", flat=True)) == {young.pk, kept.pk}


def test_a_deleted_job_is_gone(stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    lifecycle.delete(job.pk)
    for verb in (trash.discard, trash.restore):
        with pytest.raises(Gone):
            verb(job.pk)


class Layer:
    """A channel layer that keeps what it is given."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.kinds.append(message["message"]["type"])

    def told(self) -> set[str]:
        broadcast.flush()
        told, self.kinds = set(self.kinds), []
        return told


@pytest.mark.django_db(transaction=True)
def test_those_who_watch_are_told_once(stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job, layer = stage.completed(alice), Layer()
    broadcast.flush()
    monkeypatch.setattr(broadcast, "get_channel_layer", lambda: layer)
    trash.discard(job.pk)
    assert layer.told() == {"deleted"}
    trash.discard(job.pk)
    assert layer.told() == set()
    trash.restore(job.pk)
    assert layer.told() == {"change"}
