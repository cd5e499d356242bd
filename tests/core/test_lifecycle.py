"""A job from submission to completion, and who may write."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, queries, recovery
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.moves import Fenced
from whisper_jobs.states import Kind, StepState


def test_a_job_goes_through_its_stages_in_order(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    seen = [fresh(job).status]
    stage.prepare(stage.run("speech"))
    fetch = stage.run("fetch")
    seen.append(fresh(job).status)
    lifecycle.finish_fetch(fetch, media="media/0/original", source_title="Talk")
    stage.decode(stage.run("fetch"), windows=1)
    stage.hear(stage.run("speech"))
    seen.append(fresh(job).status)
    stage.assemble(stage.run("deliver"), text="window0")
    seen.append(fresh(job).status)
    assert seen == ["queued", "downloading", "finalizing", "completed"]


def test_the_first_window_is_ready_before_decoding_ends(stage: Stage, alice: User) -> None:
    stage.fetched(alice)
    decode = stage.run("fetch")
    lifecycle.add_windows(decode, [lifecycle.NewWindow(0.0, 10.0, ((0.0, 9.0),), "a.wav")])
    assert stage.run("speech").step.kind == Kind.WINDOW


def test_windows_wait_until_the_engine_is_chosen(stage: Stage, alice: User) -> None:
    stage.submit(alice)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/0/original")
    stage.decode(stage.run("fetch"), windows=1)
    prepare = stage.run("speech")
    assert prepare.step.kind == Kind.PREPARE
    assert lifecycle.claim("speech", "w") is None
    stage.prepare(prepare)
    assert stage.run("speech").step.kind == Kind.WINDOW


def test_progress_and_revision_only_grow(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=3)
    marks = [(fresh(job).progress, fresh(job).revision)]
    for _ in range(3):
        stage.hear(stage.run("speech"))
        marks.append((fresh(job).progress, fresh(job).revision))
    assert marks == sorted(marks)
    assert len(set(marks)) == len(marks)
    assert marks[-1][0] < 100


def test_a_recording_without_speech_fails_and_says_so(stage: Stage, alice: User) -> None:
    job = stage.fetched(alice)
    stage.decode(stage.run("fetch"), windows=0)
    assert (fresh(job).status, fresh(job).failure_code) == ("failed", "no_speech")


def test_a_run_that_lost_its_claim_writes_nothing(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=1)
    late = stage.run("speech")
    recovery.lose(late.step)
    successor = stage.run("speech")
    with pytest.raises(Fenced):
        stage.hear(late)
    stage.hear(successor)
    assert Segment.objects.filter(job=job).count() == 1


def test_a_window_is_stored_once_even_if_its_finish_is_repeated(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=2)
    run = stage.run("speech")
    stage.hear(run)
    with pytest.raises(Fenced):
        stage.hear(run)
    assert Segment.objects.filter(job=job).count() == 1


def test_a_deleted_job_fences_its_runs(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=1)
    run = stage.run("speech")
    Job.objects.filter(pk=job.pk).delete()
    with pytest.raises(Fenced):
        stage.hear(run)


def test_counts_follow_the_jobs(stage: Stage, alice: User, bob: User, charlie: User) -> None:
    stage.completed(alice)
    stage.submit(alice)
    stage.submit(bob)
    assert queries.summary(alice) == {"queued": 1, "processing": 0, "completed": 1, "failed": 0}
    assert queries.summary(charlie) == {"queued": 2, "processing": 0, "completed": 1, "failed": 0}


def test_a_retry_that_may_help_is_made_later_and_then_given_up(stage: Stage, alice: User) -> None:
    job = stage.prepared(alice)
    for _ in range(len(lifecycle.RETRY_PAUSES)):
        lifecycle.fail(stage.run("fetch"), JobError("source_unreachable", retry=True))
        assert lifecycle.claim("fetch", "w") is None, "the pause is kept"
        Step.objects.filter(state=StepState.READY).update(not_before=None)
    lifecycle.fail(stage.run("fetch"), JobError("source_unreachable", retry=True))
    assert fresh(job).failure_code == "source_unreachable"


def test_what_a_step_does_is_not_shown_after_its_end(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    run = stage.run("speech")
    lifecycle.report(run, 0.0, "Downloading the model: 1 of 2 MB")
    assert fresh(job).stage_detail.startswith("Downloading")
    stage.prepare(run)
    assert fresh(job).stage_detail == ""


def test_a_failed_job_stops_its_other_runs(stage: Stage, alice: User) -> None:
    stage.submit(alice)
    download = stage.run("fetch")
    assert lifecycle.heartbeat(download.run_id)
    lifecycle.fail(stage.run("speech"), JobError("model_unavailable"))
    assert not lifecycle.heartbeat(download.run_id)


def test_a_final_failure_keeps_what_was_heard(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=2)
    stage.hear(stage.run("speech"))
    lifecycle.fail(stage.run("speech"), JobError("out_of_memory"))
    assert fresh(job).failure_code == "out_of_memory"
    assert Segment.objects.filter(job=job).count() == 1
