"""What a dead worker held is found and done by another; nothing is done twice."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, presence, recovery, tasks
from whisper_jobs.models import Job, Segment, Step, Worker
from whisper_jobs.pipeline.decode import _stored_until
from whisper_jobs.pipeline.fetch import room
from whisper_jobs.states import StepState

LEASE = timedelta(seconds=30)


def test_a_silent_run_is_taken_over(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=1)
    silent = stage.run("speech")
    assert recovery.sweep(LEASE) == 0, "it was heard of just now"
    Step.objects.filter(pk=silent.step.pk).update(heartbeat_at=timezone.now() - 2 * LEASE)
    assert recovery.sweep(LEASE) == 1
    stage.hear(stage.run("speech"))
    assert Segment.objects.count() == 1


def test_a_beating_run_is_left_alone(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=1)
    run = stage.run("speech")
    Step.objects.filter(pk=run.step.pk).update(heartbeat_at=timezone.now() - 2 * LEASE)
    assert lifecycle.heartbeat(run.run_id)
    assert recovery.sweep(LEASE) == 0


def test_a_worker_that_died_on_this_host_is_noticed_without_waiting(stage: Stage, alice: User) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = presence.Process(presence.here(), child.pid, psutil.Process(child.pid).create_time())
    presence.seen(dead, ["speech"])
    stage.worker = dead.name
    stage.decoded(alice, windows=1)
    stage.run("speech")
    tasks.sweep()
    assert Step.objects.filter(state=StepState.RUNNING).count() == 1, "it lives"
    child.kill()
    child.communicate(timeout=15)
    tasks.sweep()
    assert Step.objects.filter(state=StepState.RUNNING).count() == 0
    assert not Worker.objects.filter(pid=dead.pid).exists()


def test_a_download_that_died_with_its_worker_leaves_no_file(db: None, settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    dead = presence.Process(presence.here(), os.getpid(), born=1.0)
    presence.seen(dead, ["fetch"])
    presence.seen(presence.me(), ["fetch"])
    with room(presence.me().name) as alive, room(dead.name) as left:
        (Path(left) / "media").write_bytes(b"half")
        tasks.sweep()
        assert Path(alive).exists()
        assert not Path(left).exists()


def test_a_pid_that_was_given_to_another_process_counts_as_dead(db: None) -> None:
    other = presence.Process(presence.here(), os.getpid(), born=1.0)
    presence.seen(other, ["speech"])
    presence.seen(presence.me(), ["fetch"])
    assert presence.dead_here() == {other.name}


def test_workers_of_hosts_that_are_no_more_are_forgotten(db: None) -> None:
    presence.seen(presence.Process("container/boot/ns", 1, born=1.0), ["speech"])
    presence.seen(presence.me(), ["fetch"])
    Worker.objects.filter(lane="speech").update(seen_at=timezone.now() - timedelta(days=2))
    assert Worker.objects.count() == 2
    tasks.reap()
    assert [worker.lane for worker in Worker.objects.all()] == ["fetch"]


def test_a_step_that_keeps_killing_workers_fails_its_job(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=2)
    stage.hear(stage.run("speech"))
    for _ in range(recovery.MOST_LOSSES):
        run = stage.run("speech")
        recovery.lose(run.step)
    assert fresh(job).failure_code == "worker_lost"
    assert Segment.objects.filter(job=job).count() == 1


def test_a_decode_that_died_goes_on_behind_its_last_window(stage: Stage, alice: User) -> None:
    stage.fetched(alice)
    run = stage.run("fetch")
    lifecycle.add_windows(run, [lifecycle.NewWindow(0.0, 12.5, (), "a.wav")])
    recovery.lose(run.step)
    assert _stored_until(stage.run("fetch")) == 12.5


def test_a_job_that_nothing_moves_is_nudged(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=1)
    Step.objects.filter(job=job, state=StepState.READY).update(state=StepState.HELD)
    Job.objects.filter(pk=job.pk).update(changed_at=timezone.now() - timedelta(minutes=5))
    recovery.sweep(LEASE)
    stage.prepare(stage.run("speech"))
    stage.hear(stage.run("speech"))


def test_the_sweep_rings_for_idle_workers_only(stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: dict[str, int] = {}
    monkeypatch.setattr(recovery, "ring", rung.__setitem__)
    for _ in range(3):
        stage.submit(alice)
    stage.run("fetch")
    for _ in range(2):
        recovery.sweep(LEASE)
    assert rung == {"fetch": 0, "speech": 1}, "a worker that is at work rings for itself"


def test_a_handed_back_step_counts_no_attempt(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=1)
    lifecycle.hand_back(stage.run("speech"))
    assert stage.run("speech").step.attempts == 1
