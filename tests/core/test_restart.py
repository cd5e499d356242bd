"""Restarting goes on where a failed job stopped."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh, window
from whisper_jobs import lifecycle
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Kind


def failed_in_the_second_window(stage: Stage, alice: User) -> tuple[Job, Segment]:
    job = stage.decoded(alice, windows=2)
    stage.hear(stage.run("speech"))
    lifecycle.fail(stage.run("speech"), JobError("out_of_memory"))
    return job, Segment.objects.get(job=job)


def test_finished_windows_are_not_done_again(stage: Stage, alice: User) -> None:
    job, heard = failed_in_the_second_window(stage, alice)
    lifecycle.restart(job.pk)
    assert fresh(job).status == "queued"
    assert fresh(job).attempts == 2
    stage.prepare(stage.run("speech"))
    run = stage.run("speech")
    assert (run.step.kind, run.step.index) == (Kind.WINDOW, 1)
    stage.hear(run)
    stage.assemble(stage.run("deliver"), text="")
    assert fresh(job).status == "completed"
    assert Segment.objects.filter(job=job).count() == 2
    assert Segment.objects.filter(pk=heard.pk).exists()


def test_a_cancelled_job_can_be_restarted(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=2)
    lifecycle.request_cancel(job.pk)
    lifecycle.restart(job.pk)
    stage.prepare(stage.run("speech"))
    for _ in range(2):
        stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="")
    assert fresh(job).status == "completed"


def test_a_failed_download_is_made_again(stage: Stage, alice: User) -> None:
    job = stage.prepared(alice)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    lifecycle.restart(job.pk)
    assert stage.run("fetch").step.kind == Kind.FETCH


def test_a_job_without_speech_is_decoded_again(stage: Stage, alice: User) -> None:
    job = stage.fetched(alice)
    stage.decode(stage.run("fetch"), windows=0)
    lifecycle.restart(job.pk)
    stage.decode(stage.run("fetch"), windows=1)
    assert fresh(job).status == "transcribing"


def test_the_engine_is_chosen_again(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    lifecycle.fail(stage.run("speech"), JobError("model_unavailable"))
    assert fresh(job).failure_code == "model_unavailable"
    lifecycle.restart(job.pk)
    assert stage.run("speech").step.kind == Kind.PREPARE


def test_a_job_cancelled_while_it_was_assembled_is_assembled_again(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=1)
    stage.hear(stage.run("speech"))
    run = stage.run("deliver")
    lifecycle.request_cancel(job.pk)
    stage.assemble(run, text="")
    assert fresh(job).failure_code == "cancelled"
    lifecycle.restart(job.pk)
    stage.assemble(stage.run("deliver"), text="")
    assert fresh(job).status == "completed"


def test_windows_that_came_after_the_failure_wait_for_the_new_engine(stage: Stage, alice: User) -> None:
    job = stage.fetched(alice)
    decoding = stage.run("fetch")
    lifecycle.add_windows(decoding, [window(0)])
    lifecycle.fail(stage.run("speech"), JobError("out_of_memory"))
    lifecycle.add_windows(decoding, [window(1)])
    assert lifecycle.claim("speech", stage.worker) is None
    lifecycle.restart(job.pk)
    stage.prepare(stage.run("speech"))
    for _ in range(2):
        stage.hear(stage.run("speech"))


def test_a_window_claimed_before_the_restart_waits_for_the_new_engine(stage: Stage, alice: User) -> None:
    job = stage.fetched(alice)
    decoding = stage.run("fetch")
    lifecycle.add_windows(decoding, [window(0)])
    early = lifecycle.claim("speech", stage.worker)
    assert early is not None
    lifecycle.fail(decoding, JobError("media_corrupt"))
    lifecycle.restart(job.pk)
    assert lifecycle.begin(early) is None, "no engine is chosen yet"
    stage.prepare(stage.run("speech"))
    stage.hear(stage.run("speech"))


def test_a_queued_job_stays_as_it_is(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    lifecycle.restart(job.pk)
    assert fresh(job).revision == job.revision


def test_a_completed_or_running_job_is_not_restarted(stage: Stage, alice: User) -> None:
    done = stage.completed(alice)
    with pytest.raises(NotAllowed):
        lifecycle.restart(done.pk)
    running = stage.fetched(alice)
    with pytest.raises(NotAllowed):
        lifecycle.restart(running.pk)


def test_a_job_that_is_being_cancelled_is_not_restarted(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    prepare = stage.run("speech")
    lifecycle.request_cancel(job.pk)
    with pytest.raises(NotAllowed):
        lifecycle.restart(job.pk)
    lifecycle.hand_back(prepare)
    lifecycle.restart(job.pk)
    assert fresh(job).status == "queued"
