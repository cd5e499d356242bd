"""A job of the sandbox ends as its script says, and nothing is worked on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from tests.core.play import fresh
from tests.sandbox.conftest import HandIn, Play
from whisper_jobs import intake, lifecycle, limits, payloads, recovery, rehearsing, results, review
from whisper_jobs.models import (
    Analysis,
    Diarization,
    Job,
    Pace,
    Passage,
    Segment,
    Step,
    TranslatedSegment,
    Translation,
    Usage,
)
from whisper_jobs.moves import Fenced
from whisper_jobs.runs import NotAllowed
from whisper_jobs.sandbox import Script
from whisper_jobs.states import Kind

ONE_DAY = timedelta(days=1)


def test_its_words_and_speakers_are_made_up_and_the_same_every_time(hand_in: HandIn, play: Play) -> None:
    told = [payloads.job_full(play(hand_in(Script(segments=3), language="sv"))) for _ in range(2)]
    first, second = told
    assert first["status"] == "completed" and first["sandbox"] and first["progress"] == 100.0
    assert "This is sentence 2 of a made-up transcript." in first["transcript_text"]
    assert first["transcript_text"] == second["transcript_text"]
    assert first["speaker_aware_transcript"].startswith("Speaker 1:")
    assert [one["seconds"] for one in first["diarization"]["speakers"]] == [5.5, 2.75]
    assert (first["engine"], first["detected_language"], first["source_duration_seconds"]) == ("sandbox", "sv", 9.0)
    assert (first["coverage"]["ratio"], first["coverage"]["gaps"]) == (1.0, [])


def test_its_words_have_times_within_their_segment(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(Script(segments=2)))
    for row in Segment.objects.filter(job=job):
        assert row.words[0][0] == row.start and row.words[-1][1] == row.end
        assert all(one[1] <= other[0] for one, other in zip(row.words, row.words[1:], strict=False))


def test_without_speakers_nobody_is_named(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(disable_diarization=True))
    assert not Diarization.objects.filter(job=job).exists()
    assert set(Segment.objects.filter(job=job).values_list("speaker", flat=True)) == {""}


def test_nothing_is_stored_charged_or_measured(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(source_url="", media_file=SimpleUploadedFile("a\x00b.mp3", b"sound")))
    assert (job.media, job.source_filename, job.source_size_bytes) == ("", "ab.mp3", 5)
    assert not Usage.objects.exists() and not Pace.objects.exists()
    assert set(Step.objects.filter(job=job).values_list("kind", flat=True)) == {Kind.REHEARSE, Kind.ASSEMBLE}


def test_who_has_no_minutes_left_can_still_try(hand_in: HandIn, play: Play, robin: User) -> None:
    type(robin).objects.filter(pk=robin.pk).update(monthly_minutes=1, max_queued_jobs=0)
    robin.refresh_from_db()
    Usage.objects.create(owner=robin, month=limits._month(), seconds=60.0)
    assert play(hand_in()).status == "completed"


def test_what_was_asked_for_is_made_up_without_a_language_model(hand_in: HandIn, play: Play, robin: User) -> None:
    assert not robin.has_perm("accounts.provider_openai")
    job = hand_in(Script(segments=2), analysis_language="en", translation_target_languages=("sv", "de"))
    assert payloads.job_full(job)["analysis"]["error"] is None
    job = play(job)
    analysis = Analysis.objects.get(job=job)
    assert (analysis.state, analysis.model, analysis.prompt_tokens) == ("done", "sandbox", 0)
    assert analysis.data["chapters"] == [{"title": "A made-up chapter", "start": 0.0}]
    assert [one.state for one in Translation.objects.filter(job=job)] == ["done", "done"]
    swedish = [one.text for one in results.transcript_of(job, "sv").segments]
    assert swedish[1] == "[sv] This is sentence 2 of a made-up transcript."


def test_it_fails_with_the_error_that_was_asked_for(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(Script(error="no_speech")))
    assert (job.status, job.failure_code) == ("failed", "no_speech")
    assert job.failure_error.startswith("No speech was found")
    assert not Segment.objects.filter(job=job).exists()


def test_it_waits_for_its_time(hand_in: HandIn, stage: Any) -> None:
    job = hand_in(Script(finish_in=900))
    assert (job.status, job.stage) == ("transcribing", "transcribing")
    assert lifecycle.claim("deliver", "host:1:1") is None


def test_its_progress_is_the_time_that_has_passed(hand_in: HandIn) -> None:
    job = hand_in(Script(finish_in=900))
    job.speech_started_at = timezone.now() - timedelta(seconds=450)
    assert 48.0 < payloads.job_summary(job)["progress"] < 50.0
    job.speech_started_at = timezone.now() + ONE_DAY
    assert payloads.job_summary(job)["progress"] == 0.0


def test_one_that_never_ends_can_be_cancelled_and_deleted(hand_in: HandIn) -> None:
    job = hand_in(Script(finish_in=None))
    assert lifecycle.claim("deliver", "host:1:1") is None
    with pytest.raises(NotAllowed):
        lifecycle.delete(job.pk)
    assert lifecycle.request_cancel(job.pk).failure_code == "cancelled"
    lifecycle.delete(job.pk)
    assert not Job.objects.exists()


def test_one_that_is_cancelled_before_its_time_makes_nothing_up(hand_in: HandIn) -> None:
    job = hand_in(Script(finish_in=900))
    lifecycle.request_cancel(job.pk)
    Step.objects.update(not_before=timezone.now() - ONE_DAY)
    assert lifecycle.claim("deliver", "host:1:1") is None
    assert fresh(job).failure_code == "cancelled"


@pytest.mark.parametrize("script", [Script(error="media_corrupt"), Script(finish_in=900)])
def test_restarted_it_is_played_again_without_the_error(hand_in: HandIn, play: Play, script: Script) -> None:
    job = hand_in(script)
    job = play(job) if script.error else lifecycle.request_cancel(job.pk)
    assert job.status == "failed"
    job = lifecycle.restart(job.pk)
    assert (job.status, job.failure_code) == ("transcribing", "")
    job = play(job)
    assert (job.status, job.attempts) == ("completed", 2)
    assert Segment.objects.filter(job=job).count() == 8


def test_it_waits_for_an_approval_that_was_asked_for(hand_in: HandIn, play: Play, robin: User) -> None:
    job = play(hand_in(needs_approval=True))
    assert job.stage == "reviewing"
    assert review.approve(job.pk, by=robin).stage == "completed"


def test_cancelled_while_it_waits_for_an_approval_it_keeps_its_words(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(needs_approval=True))
    lifecycle.request_cancel(job.pk)
    assert lifecycle.restart(job.pk).stage == "reviewing"
    assert Segment.objects.filter(job=job).count() == 8


def test_ten_thousand_segments_can_be_had(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(Script(segments=10_000), translation_target_languages=("sv",)))
    assert job.status == "completed"
    assert Segment.objects.filter(job=job).count() == TranslatedSegment.objects.count() == 10_000
    assert payloads.job_full(job)["transcript_text"].endswith("This is sentence 10000 of a made-up transcript.")


def test_a_worker_that_was_taken_for_dead_makes_nothing_up(hand_in: HandIn, stage: Any) -> None:
    job = hand_in()
    lost = stage.run("deliver")
    recovery.lose_all(stage.worker)
    rehearsing.finish(stage.run("deliver"))
    with pytest.raises(Fenced):
        rehearsing.finish(lost)
    assert Segment.objects.filter(job=job).count() == 8


def test_the_search_finds_it(hand_in: HandIn, play: Play) -> None:
    job = play(hand_in())
    assert Passage.objects.filter(job=job).count() > 1


def test_a_dialect_that_forgets_the_script_makes_no_work(robin: User, token: str) -> None:
    found = tokens.find(token, tokens.API)
    assert found is not None
    job = intake.submit(intake.Submission(owner=found.user, source_url="https://example.com/a.mp3", channel="api"))
    assert job.sandbox == Script().stored()
