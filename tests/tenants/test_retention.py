"""Sound that an organisation does not keep for good: what goes, what stays, what dies in between, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Tenant, User
from tests.conftest import Tools
from tests.core.play import Stage, fresh
from whisper_jobs import audit, diarization, gaps, intake, lifecycle, retention, tasks, uploads
from whisper_jobs.models import AuditEntry, Job, JobVoice, Step, TenantPolicy, Transcript, Waveform
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Kind, StepState

Aged = Callable[..., Job]


@pytest.fixture
def aged(stage: Stage) -> Aged:
    """A job that ended so many days ago, with its original and a window beside it."""

    def make(owner: User, days: float = 10, *, fails: bool = False, **fields: Any) -> Job:
        job = stage.decoded(owner, **fields) if fails else stage.completed(owner, **fields)
        if fails:
            lifecycle.request_cancel(job.pk)
        media = uploads.store_original(ContentFile(b"sound", name="x"))
        default_storage.save(uploads.beside(media, "w.wav"), ContentFile(b"window"))
        ended = timezone.now() - timedelta(days=days)
        told = {"media": media, "completed_at": ended, "source_mime": "audio/wav", "source_size_bytes": 5}
        Job.objects.filter(pk=job.pk).update(**told)
        return fresh(job)

    return make


def keep(tenant: Tenant, days: int | None) -> None:
    TenantPolicy.objects.update_or_create(tenant=tenant, defaults={"retention_days": days})


def is_there(media: str) -> bool:
    return default_storage.exists(media) or default_storage.exists(uploads.beside(media, "w.wav"))


def test_sound_goes_when_its_time_is_over_and_the_words_stay(alice: User, aged: Aged) -> None:
    keep(alice.tenant, 7)
    old, young = aged(alice, days=8), aged(alice, days=6)
    Waveform.objects.create(job=old, per_second=10, peaks=b"123")
    for job in (old, young):
        JobVoice.objects.create(job=job, label="SPEAKER_00", encoder="x", sealed="a voice", seconds=9)
    assert retention.reap() == 1
    assert not is_there(old.media)
    assert is_there(young.media)
    assert [old.voices.get().sealed, young.voices.get().sealed] == ["", "a voice"]
    now = fresh(old)
    assert (now.media, now.stage, now.media_removed_at is not None) == ("", "completed", True)
    assert Transcript.objects.get(job=old).text == "done"
    assert not Waveform.objects.filter(job=old).exists()
    assert now.revision > old.revision, "pages that show it are told"
    assert now.log_lines.filter(message__contains="The words stay").exists()


def test_a_failed_job_loses_its_sound_too(alice: User, aged: Aged) -> None:
    keep(alice.tenant, 7)
    job = aged(alice, fails=True)
    assert retention.reap() == 1
    assert not is_there(job.media)
    assert fresh(job).progress == job.progress


def test_each_run_is_written_down_for_each_tenant(alice: User, erik: User, aged: Aged) -> None:
    keep(alice.tenant, 7)
    keep(erik.tenant, 9)
    first, second, third = aged(alice), aged(alice), aged(erik)
    assert retention.reap() == 3
    ours, theirs = AuditEntry.objects.order_by("tenant_id")
    assert (ours.action, ours.actor_id, ours.tenant_id) == ("media.expired", None, alice.tenant_id)
    assert ours.detail == {"count": 2, "days": 7, "jobs": [first.pk, second.pk], "bytes": 10}
    assert theirs.detail["jobs"] == [third.pk]
    assert retention.reap() == 0
    assert AuditEntry.objects.count() == 2
    assert audit.verify() == []


def test_without_a_time_everything_stays(alice: User, erik: User, aged: Aged) -> None:
    keep(alice.tenant, None)
    job, theirs = aged(alice, days=9999), aged(erik, days=9999)
    assert retention.reap() == 0
    assert is_there(job.media)
    assert is_there(theirs.media)


def test_the_tier_of_the_server_counts_before_there_is_a_policy(alice: User, aged: Aged, tools: Tools) -> None:
    tools(tenant_tier="regulated")
    old, young = aged(alice, days=31), aged(alice, days=29)
    assert retention.reap() == 1
    assert (is_there(old.media), is_there(young.media)) == (False, True)


@pytest.mark.parametrize("kind", [Kind.DIARIZE, Kind.REFILL, Kind.ANALYSE])
@pytest.mark.parametrize("state", [StepState.READY, StepState.RUNNING, StepState.WAITING])
def test_a_step_that_was_asked_for_again_keeps_the_sound(alice: User, aged: Aged, kind: Kind, state: StepState) -> None:
    keep(alice.tenant, 7)
    job = aged(alice)
    step = Step.objects.create(job=job, kind=kind, lane="speech", owner_id=alice.pk, state=state, priority=0)
    assert retention.reap() == 0
    assert is_there(job.media)
    Step.objects.filter(pk=step.pk).update(state=StepState.DONE)
    assert retention.reap() == 1


@pytest.mark.parametrize("stage_now", ["queued", "transcribing", "reviewing"])
def test_a_job_at_work_keeps_its_sound_however_old(alice: User, aged: Aged, stage_now: str) -> None:
    keep(alice.tenant, 7)
    job = aged(alice)
    Job.objects.filter(pk=job.pk).update(stage=stage_now)
    assert retention.reap() == 0
    assert is_there(job.media)


def test_one_that_is_asked_for_between_the_look_and_the_lock_keeps_it(
    alice: User, aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.tenant, 7)
    job = aged(alice, disable_diarization=True)
    look = retention._due

    def then_somebody_asks(*asked: Any) -> Any:
        found = list(look(*asked).values_list("pk", flat=True))
        diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
        return Job.objects.filter(pk__in=found)

    monkeypatch.setattr(retention, "_due", then_somebody_asks)
    assert retention.reap() == 0
    assert is_there(job.media)
    assert not AuditEntry.objects.exists()


def test_one_that_is_deleted_meanwhile_is_passed_over(alice: User, aged: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(alice.tenant, 7)
    gone, other = aged(alice), aged(alice)
    ids = [gone.pk, other.pk]
    Job.objects.filter(pk=gone.pk).delete()
    monkeypatch.setattr(retention, "_due", lambda *asked: _Ids(ids))
    assert retention.reap() == 1
    assert fresh(other).media == ""


class _Ids:
    """What the database told a moment ago."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    def values_list(self, *names: str, flat: bool) -> list[int]:
        return self._ids


class Died(BaseException):
    """As by SIGKILL: nothing after it runs."""


def test_dying_before_the_rows_are_written_leaves_everything(
    alice: User, aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.tenant, 7)
    job = aged(alice)

    def die(*told: Any, **more: Any) -> None:
        raise Died

    monkeypatch.setattr(audit, "record", die)
    with pytest.raises(Died):
        retention.reap()
    assert (fresh(job).media, is_there(job.media)) == (job.media, True)
    monkeypatch.undo()
    assert retention.reap() == 1


def test_dying_before_the_files_go_leaves_them_to_the_reaper_of_orphans(
    alice: User, aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.tenant, 7)
    job = aged(alice)

    def die(media: str) -> None:
        raise Died

    monkeypatch.setattr(uploads, "remove", die)
    with pytest.raises(Died):
        retention.reap()
    assert (fresh(job).media, is_there(job.media)) == ("", True)
    assert AuditEntry.objects.get().detail["jobs"] == [job.pk]
    monkeypatch.undo()
    monkeypatch.setattr(uploads, "ORPHAN_AGE", timedelta(0))
    assert uploads.reap_orphans() == 1
    assert not is_there(job.media)


def test_many_go_in_batches_and_the_rest_in_the_next_round(
    alice: User, aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice.tenant, 7)
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "MOST", 3)
    jobs = [aged(alice) for _ in range(4)]
    assert retention.reap() == 3
    assert [entry.detail["jobs"] for entry in AuditEntry.objects.order_by("id")] == [
        [jobs[0].pk, jobs[1].pk],
        [jobs[2].pk],
    ]
    assert retention.reap() == 1


def test_the_hourly_task_does_it(alice: User, aged: Aged) -> None:
    keep(alice.tenant, 7)
    job = aged(alice)
    tasks.reap()
    assert fresh(job).media == ""


def test_another_part_of_the_clean_up_that_fails_does_not_keep_it_from_that(
    alice: User, aged: Aged, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    keep(alice.tenant, 7)
    job = aged(alice)
    monkeypatch.setattr(intake, "reap_keys", broken)
    tasks.reap()
    assert fresh(job).media == ""
    assert "a part of the hourly clean-up failed" in caplog.text


# --- what can't be done any more ------------------------------------------------------------------


def test_nothing_that_needs_the_sound_can_be_asked_for(alice: User, aged: Aged) -> None:
    keep(alice.tenant, 7)
    done, failed = aged(alice), aged(alice, fails=True)
    retention.reap()
    told = "The sound of this recording was deleted on"
    with pytest.raises(NotAllowed, match=told):
        diarization.request_diarization(done.pk, min_speakers=2, max_speakers=2)
    with pytest.raises(NotAllowed, match=told):
        gaps.request_refill(done.pk)
    with pytest.raises(NotAllowed, match=told):
        lifecycle.restart(failed.pk)
    with pytest.raises(NotAllowed, match=told):
        intake.again(fresh(done), alice, model="auto")
    assert Job.objects.count() == 2
    assert fresh(failed).stage == "failed"


@pytest.mark.parametrize(("act", "body"), [("diarize", {}), ("refill", {}), ("restart", {})])
def test_the_api_refuses_as_it_refuses_everything(
    api: Any, alice: User, aged: Aged, act: str, body: dict[str, Any]
) -> None:
    keep(alice.tenant, 7)
    job = aged(alice, fails=act == "restart")
    retention.reap()
    answer = api(alice).post(f"/api/whisper/jobs/{job.pk}/{act}", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed")
    assert "was deleted on" in answer.json()["message"]


def test_the_page_says_that_the_sound_is_gone_and_offers_nothing_that_needs_it(
    visit: Any, alice: User, aged: Aged
) -> None:
    keep(alice.tenant, 7)
    job = aged(alice)
    client, page = visit(alice), f"/whisper/jobs/{job.pk}"
    before = client.get(page).text
    assert "Tell them apart again" in before
    retention.reap()
    after = client.get(page).text
    assert "The sound was deleted on" in after
    assert "the words stay" in after
    assert "Tell them apart again" not in after
    assert client.get(f"{page}/media").status_code == 404
    told = client.post(f"{page}/again", {"model": "auto"}, follow=True).text
    assert "so that it can&#x27;t be heard again" in told


def test_how_many_would_go_at_once(alice: User, aged: Aged) -> None:
    aged(alice, days=3)
    aged(alice, days=30)
    assert [retention.due(alice.tenant_id, days) for days in (1, 7, 60)] == [2, 1, 0]
