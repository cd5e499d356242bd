"""Who speaks when: told after the last window, before the text is put together, and never at the cost of the words."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import diarization, enrichment, lifecycle, payloads, recovery, results
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment, Step, Translation
from whisper_jobs.runs import NotAllowed, Run
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech import transcript
from whisper_jobs.speech.diarizers.base import Turn
from whisper_jobs.speech.transcript import Word
from whisper_jobs.states import Kind, Status, StepState

TURNS = (Turn(0.0, 1.0, "SPEAKER_00"), Turn(1.0, 3.0, "SPEAKER_01"))
pytestmark = pytest.mark.django_db


def two_voices(run: Run) -> None:
    """A window in which one asks and the other answers, as one segment."""
    words = (Word(0.0, 0.5, "Why?", 0.9), Word(1.0, 2.0, "Because.", 0.8))
    said = transcript.Segment(0.0, 2.0, "Why? Because.", words, probability=0.85)
    lifecycle.finish_window(run, [said], language="en")


def heard(stage: Stage, owner: User, **fields: object) -> Job:
    job = stage.decoded(owner, windows=1, disable_diarization=False, **fields)
    two_voices(stage.run("speech"))
    return fresh(job)


def parts_of(job: Job) -> dict[int, list[transcript.Segment]]:
    """The segment cut between its two words."""
    row = Segment.objects.get(job=job)
    one, two = spoken(row).words
    return {
        row.pk: [
            transcript.Segment(one.start, one.end, one.text, (one,), "SPEAKER_00", one.probability),
            transcript.Segment(two.start, two.end, two.text, (two,), "SPEAKER_01", two.probability),
        ]
    }


def tell_apart(stage: Stage, job: Job) -> None:
    run = stage.run("speech")
    told = {"method": "fake", "reason": "Two voices.", "turns": TURNS}
    diarization.finish_diarize(run, parts=parts_of(job), **told)  # type: ignore[arg-type]


def test_speakers_are_told_apart_between_the_last_window_and_the_text(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    assert (job.stage, job.status) == ("diarizing", Status.FINALIZING)
    assert payloads.job_full(job)["diarization"] == {"state": "pending", "reason": None, "speakers": []}
    assert lifecycle.claim("deliver", stage.worker) is None
    tell_apart(stage, job)
    stage.assemble(stage.run("deliver"))
    told = payloads.job_full(fresh(job))
    assert told["status"] == "completed"
    assert told["diarization"] == {
        "state": "done",
        "reason": "Two voices.",
        "speakers": [
            {"label": "SPEAKER_00", "name": None, "seconds": 1.0, "speaker_id": None, "recognised": False},
            {"label": "SPEAKER_01", "name": None, "seconds": 2.0, "speaker_id": None, "recognised": False},
        ],
    }


def test_a_segment_of_two_speakers_becomes_two_with_their_words(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    before = Segment.objects.get(job=job)
    tell_apart(stage, job)
    first, second = Segment.objects.filter(job=job).order_by("start")
    assert (first.pk, first.text, first.speaker) == (before.pk, "Why?", "SPEAKER_00")
    assert (second.text, second.speaker, second.words) == ("Because.", "SPEAKER_01", [[1.0, 2.0, "Because.", 0.8]])
    assert first.revision == second.revision > before.revision
    assert [segment.speaker for segment in results.segments_of(job)] == ["Speaker 1", "Speaker 2"]


def test_what_fails_here_costs_no_words(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    lifecycle.fail(stage.run("speech"), JobError("out_of_memory"))
    stage.assemble(stage.run("deliver"), text="the words")
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["transcript_text"]) == ("completed", "the words")
    assert told["diarization"]["state"] == "failed"
    assert "memory" in told["diarization"]["reason"]


def test_it_is_done_again_on_a_completed_job_and_the_text_follows(stage: Stage, alice: User) -> None:
    job = stage.completed(alice, windows=1)
    diarization.request_diarization(job.pk, min_speakers=2, max_speakers=2)
    tell_apart_all = stage.run("speech")
    assert (fresh(job).min_speakers, fresh(job).disable_diarization) == (2, False)
    diarization.finish_diarize(tell_apart_all, method="fake", reason="One voice.", turns=TURNS[:1], parts={})
    assert fresh(job).status == Status.COMPLETED
    run = stage.run("deliver")
    lifecycle.finish_assemble(run, text="anew", speaker_text="Speaker 1: anew", coverage={})
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["speaker_aware_transcript"]) == ("completed", "Speaker 1: anew")


def test_an_attempt_that_fails_leaves_the_speakers_of_the_one_before(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    tell_apart(stage, job)
    stage.assemble(stage.run("deliver"))
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    lifecycle.fail(stage.run("speech"), JobError("internal_error"))
    told = payloads.diarization(fresh(job))
    assert (told["state"], len(told["speakers"])) == ("done", 2)
    assert fresh(job).status == Status.COMPLETED


def test_an_attempt_that_hears_nobody_leaves_the_speakers_of_the_one_before(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    tell_apart(stage, job)
    stage.assemble(stage.run("deliver"))
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    stage.diarize(stage.run("speech"))
    told = payloads.diarization(fresh(job))
    assert (told["state"], told["reason"], len(told["speakers"])) == ("done", "Two voices.", 2)
    assert [segment.speaker for segment in results.segments_of(job)] == ["Speaker 1", "Speaker 2"]


def test_how_far_it_came_is_told_no_more_when_it_has_failed(stage: Stage, alice: User) -> None:
    job = stage.completed(alice, windows=1)
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    run = stage.run("speech")
    lifecycle.report(run, 0.5, "50% of the recording")
    assert fresh(job).stage_detail
    lifecycle.fail(run, JobError("out_of_memory"))
    assert fresh(job).stage_detail == ""


def test_it_is_not_asked_for_twice_at_once_nor_before_there_is_a_text(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    with pytest.raises(NotAllowed, match="no finished transcript"):
        diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    tell_apart(stage, job)
    stage.assemble(stage.run("deliver"))
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    with pytest.raises(NotAllowed, match="made already"):
        diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)


def test_translated_segments_stay_whole(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    row = Segment.objects.get(job=job)
    translation = Translation.objects.create(job=job, language="sv", index=0)
    translation.segments.create(segment=row, text="Varför? Därför.")
    tell_apart(stage, job)
    kept = Segment.objects.get(job=job)
    assert (kept.text, kept.speaker, len(kept.words)) == ("Why? Because.", "SPEAKER_01", 2)


def test_segments_that_are_being_translated_stay_whole(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=1)
    two_voices(stage.run("speech"))
    stage.assemble(stage.run("deliver"))
    enrichment.request_translation(job.pk, asked_by=alice, language="sv")
    stage.run("enrich")
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    tell_apart(stage, job)
    assert Segment.objects.get(job=job).text == "Why? Because."


def test_a_worker_that_died_over_it_is_followed_by_another(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    lost = stage.run("speech")
    recovery.lose(lost.step)
    tell_apart(stage, job)
    stage.assemble(stage.run("deliver"))
    assert fresh(job).status == Status.COMPLETED


def test_putting_the_text_together_anew_may_fail_without_the_job(stage: Stage, alice: User) -> None:
    job = heard(stage, alice)
    tell_apart(stage, job)
    stage.assemble(stage.run("deliver"), text="the words")
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    tell_once_more = stage.run("speech")
    diarization.finish_diarize(tell_once_more, method="fake", reason="As before.", turns=TURNS, parts={})
    lifecycle.fail(stage.run("deliver"), JobError("internal_error"))
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["transcript_text"]) == ("completed", "the words")
    assert Step.objects.get(job=job, kind=Kind.ASSEMBLE).state == StepState.FAILED
