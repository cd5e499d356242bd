"""A session's folder becomes a job like any other, once, whatever was done of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.hearing.talking import SECOND, silence, speech
from tests.hearing.test_spool import HEAD, closed
from whisper_jobs import heard, limits
from whisper_jobs.hearing import ending, spool
from whisper_jobs.hearing.spool import Spool
from whisper_jobs.models import Job, LiveSession, Segment, Step, Tally, Waveform
from whisper_jobs.models.live_session import SessionState, Transport
from whisper_jobs.states import Kind, StepState
from whisper_jobs.states import Stage as JobStage

pytestmark = pytest.mark.django_db


def row_of(owner: User, **fields: Any) -> LiveSession:
    told = {"transport": Transport.WEBSOCKET, "state": SessionState.LIVE, "expires_at": timezone.now()}
    return LiveSession.objects.create(owner=owner, tenant_id=owner.tenant_id, **told, **fields)


def spooled(tmp_path: Path, row: LiveSession, sound: Any = None) -> Spool:
    session = Spool.begin(tmp_path / "live" / str(row.pk), HEAD)
    session.add(speech() if sound is None else sound)
    return session


def finish(row: LiveSession, session: Spool, **more: Any) -> Job | None:
    session.close()
    return ending.finish(row.pk, session.folder, SessionState.CLOSED, **more)


def windows(job: Job) -> list[Step]:
    return list(Step.objects.filter(job=job, kind=Kind.WINDOW).order_by("index"))


def test_what_was_read_is_done_and_the_transcript_has_its_words(tmp_path: Path, alice: User, stage: Stage) -> None:
    row = row_of(alice, language="sv")
    session = spooled(tmp_path, row)
    for one in (closed(0.0, "ett"), closed(1.5, "två")):
        session.close_window(one)
    session.all_heard()
    job = finish(row, session)
    assert job is not None
    assert [(step.state, step.start_seconds, step.end_seconds) for step in windows(job)] == [
        (StepState.DONE, 0.0, 1.0),
        (StepState.DONE, 1.5, 2.5),
    ]
    assert [(one.text, one.start) for one in Segment.objects.filter(job=job).order_by("start")] == [
        ("ett", 0.0),
        ("två", 1.5),
    ]
    assert fresh(job).stage == JobStage.ASSEMBLING
    stage.assemble(stage.run("deliver"))
    job = fresh(job)
    assert (job.stage, job.engine, job.detected_language, job.channel) == ("completed", "clockwork", "sv", "api")
    row.refresh_from_db()
    assert (row.state, row.job_id) == (SessionState.CLOSED, job.pk)
    assert not session.folder.exists()


def test_its_sound_is_the_original_with_its_length_and_shape(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    job = finish(row, spooled(tmp_path, row))
    assert job is not None
    with default_storage.open(job.media) as original:
        data = original.read()
    assert len(data) == job.source_size_bytes == 44 + speech().nbytes
    assert data[44:] == speech().tobytes()
    assert job.source_duration_seconds == pytest.approx(len(speech()) / SECOND)
    assert max(bytes(Waveform.objects.get(job=job).peaks)) > 10


def test_sound_behind_the_last_words_is_cut_for_workers_and_none_before(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)
    session.close_window(closed(9.0))
    job = finish(row, session)
    assert job is not None
    first, *rest = windows(job)
    assert rest
    assert first.state == StepState.DONE
    assert {step.state for step in rest} <= {StepState.WAITING, StepState.READY}
    assert StepState.READY in {step.state for step in rest}
    assert all(step.start_seconds >= 10.0 for step in rest)
    assert rest[-1].end_seconds <= len(speech()) / SECOND
    for step in rest:
        with default_storage.open(step.audio) as file:
            samples = np.frombuffer(file.read()[44:], np.int16)
        begin = round(step.start_seconds * SECOND)
        assert samples.tolist() == speech()[begin : begin + len(samples)].tolist()


def test_workers_hear_the_rest_and_the_job_completes(tmp_path: Path, alice: User, stage: Stage) -> None:
    row = row_of(alice)
    job = finish(row, spooled(tmp_path, row))
    assert job is not None
    for _ in windows(job):
        stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"))
    assert fresh(job).stage == JobStage.COMPLETED


def test_a_head_that_was_never_written_costs_nothing_but_another_choice(
    tmp_path: Path, alice: User, stage: Stage
) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)
    (session.folder / "journal").write_bytes(b'{"head": {"ba')
    job = finish(row, session)
    assert job is not None
    assert {step.state for step in windows(job)} == {StepState.HELD}
    stage.prepare(stage.run("speech"))
    for _ in windows(job):
        stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"))
    assert fresh(job).stage == JobStage.COMPLETED


def test_speakers_are_told_apart_afterwards_where_that_was_asked_for(tmp_path: Path, alice: User) -> None:
    row = row_of(alice, diarize=True)
    session = spooled(tmp_path, row)
    session.close_window(closed(0.0))
    session.all_heard()
    job = finish(row, session)
    assert job is not None
    assert fresh(job).stage == JobStage.DIARIZING
    assert Step.objects.get(job=job, kind=Kind.DIARIZE).state == StepState.READY


def test_where_nothing_was_said_the_job_says_so_as_any_other(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    job = finish(row, spooled(tmp_path, row, silence(3.0)))
    assert job is not None
    assert (fresh(job).stage, fresh(job).failure_code) == (JobStage.FAILED, "no_speech")


def test_without_any_sound_there_is_no_job(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row, silence(0.0))
    assert finish(row, session) is None
    row.refresh_from_db()
    assert (row.state, row.job_id) == (SessionState.CLOSED, None)
    assert not Job.objects.exists()
    assert not session.folder.exists()


def test_a_process_that_dies_before_the_commit_leaves_all_for_the_next_try(
    tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)

    def killed(*_args: Any) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(heard, "keep", killed)
        with pytest.raises(OSError, match="killed"):
            finish(row, session)
    assert spool.sound_bytes(session.folder) == speech().nbytes
    job = ending.finish(row.pk, session.folder, SessionState.LOST)
    assert job is not None
    assert job.source_size_bytes == 44 + speech().nbytes


def test_one_that_dies_after_the_commit_makes_no_second_job(
    tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)
    with monkeypatch.context() as patched:
        patched.setattr(spool, "discard", lambda folder: None)
        job = finish(row, session)
    assert job is not None
    assert ending.finish(row.pk, session.folder, SessionState.LOST) is None
    row.refresh_from_db()
    assert (row.job_id, row.state, Job.objects.count()) == (job.pk, SessionState.CLOSED, 1)
    assert default_storage.exists(job.media)
    assert not session.folder.exists()


def test_a_deleted_owner_takes_the_session_along(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)
    alice.delete()
    assert finish(row, session) is None
    assert not session.folder.exists()
    assert not Job.objects.exists()


def test_minutes_are_charged_once_for_what_was_read(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)
    for one in (closed(0.0), closed(1.5)):
        session.close_window(one)
    session.all_heard()
    finish(row, session)
    assert limits.standing(alice).used_seconds == pytest.approx(2.0)


def test_the_job_is_counted_and_its_log_says_why_the_session_ended(tmp_path: Path, alice: User) -> None:
    row = row_of(alice)
    session = spooled(tmp_path, row)
    session.close_window(closed(0.0))
    session.all_heard()
    job = finish(row, session, note="No sound came for a long time.")
    assert job is not None
    assert [line.message for line in job.log_lines.order_by("id")][:2] == [
        "Heard live.",
        "No sound came for a long time.",
    ]
    assert dict(Tally.objects.filter(owner=alice, jobs__gt=0).values_list("status", "jobs")) == {"finalizing": 1}
