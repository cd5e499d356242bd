"""People who are known by a sample that came with the recording: their speakers have their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.recognition.conftest import Enrol, names, voice
from tests.speakers.sounds import LINES, pcm, said, wav
from whisper_jobs import corrections, diarization, intake, payloads, recognition, told
from whisper_jobs.correction_changes import Rename
from whisper_jobs.intake import KnownSpeaker, Submission
from whisper_jobs.models import Job, JobVoice, Segment, Speaker, Step, VoiceSample
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.diarizers.assign import assign
from whisper_jobs.speech.diarizers.base import Turn
from whisper_jobs.speech.enrolling import speech_in
from whisper_jobs.speech.overheard import HeardVoice
from whisper_jobs.states import Kind

SAMPLES = (KnownSpeaker("Ada", b"one"), KnownSpeaker("Bob", b"two"))
HEARD = {"SPEAKER_00": voice(1), "SPEAKER_01": voice(5)}
Named = Callable[..., Job]
Talk = Callable[..., Job]


def messages(job: Job) -> list[str]:
    return [line["message"] for line in payloads.runtime_log(fresh(job))]


# --- rows -------------------------------------------------------------------------------------------


@pytest.fixture
def named(stage: Stage) -> Named:
    """A completed job in which two voices were heard, and these names found by samples; or the same job, diarized once more."""

    def made(owner: User, sampled: dict[str, str], job: Job | None = None) -> Job:
        if job is None:
            job = stage.decoded(owner, windows=2, disable_diarization=False)
            for _ in HEARD:
                stage.hear(stage.run("speech"))
        else:
            diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
        turns = [Turn(place * 10.0, place * 10.0 + 9.0, label) for place, label in enumerate(HEARD)]
        rows = list(Segment.objects.filter(job=job).order_by("start", "id"))
        heard = {label: HeardVoice(vector, 9.0) for label, vector in HEARD.items()}
        stage.diarize(
            stage.run("speech"),
            method="fake",
            reason="2 speakers were told apart.",
            turns=turns,
            parts=dict(zip((row.pk for row in rows), assign([spoken(row) for row in rows], turns), strict=True)),
            found=recognition.Voices(heard, recognition.book_for(owner), sampled),
        )
        stage.assemble(stage.run("deliver"))
        return fresh(job)

    return made


def test_a_speaker_has_the_name_of_the_sample_and_is_nobody_enrolled(alice: User, named: Named) -> None:
    job = named(alice, {"SPEAKER_01": "Ada"})
    assert names(job) == [None, "Ada"]
    [_, ada] = payloads.diarization(job)["speakers"]
    assert (ada["speaker_id"], ada["recognised"]) == (None, False)
    assert "sample" not in ada
    assert not Speaker.objects.exists()
    assert not VoiceSample.objects.exists()


def test_a_sample_says_more_than_a_likeness_to_somebody_enrolled(alice: User, named: Named, enrol: Enrol) -> None:
    enrol(alice, "Somebody else", voice(1))
    enrol(alice, "Charlie", voice(5))
    job = named(alice, {"SPEAKER_00": "Ada"})
    assert names(job) == ["Ada", "Charlie"]
    assert JobVoice.objects.get(job=job, label="SPEAKER_00").speaker is None


def test_a_name_that_a_person_gave_stays_when_speakers_are_told_apart_again(alice: User, named: Named) -> None:
    job = named(alice, {"SPEAKER_00": "Ada", "SPEAKER_01": "Bob"})
    corrections.correct(job.pk, Rename({"SPEAKER_00": "Augusta"}), author=alice, request_id=uuid4())
    named(alice, {"SPEAKER_00": "Ada", "SPEAKER_01": "Bob"}, job)
    assert names(job) == ["Augusta", "Bob"]


def test_names_of_samples_are_found_anew_when_speakers_are_told_apart_again(alice: User, named: Named) -> None:
    job = named(alice, {"SPEAKER_00": "Ada", "SPEAKER_01": "Bob"})
    named(alice, {"SPEAKER_01": "Ada"}, job)
    assert names(job) == [None, "Ada"]


def test_no_name_is_given_twice(alice: User, named: Named) -> None:
    job = named(alice, {"SPEAKER_00": "Ada"})
    corrections.correct(job.pk, Rename({"SPEAKER_00": "Bob"}), author=alice, request_id=uuid4())
    named(alice, {"SPEAKER_01": "Bob"}, job)
    assert names(job) == ["Bob", None]


def test_the_same_recording_with_another_model_has_the_samples_that_are_still_there(alice: User, stage: Stage) -> None:
    media = SimpleUploadedFile("talk.wav", wav(said("slt")), "audio/wav")
    job = intake.submit(Submission(owner=alice, media_file=media, known_speakers=SAMPLES))
    default_storage.delete(job.known_speakers[0]["media"])
    copy = fresh(intake.again(fresh(job), alice, model="other"))
    [left] = copy.known_speakers
    assert left["name"] == "Bob"
    assert left["media"] != job.known_speakers[1]["media"]
    with default_storage.open(left["media"]) as sample:
        assert sample.read() == b"two"


# --- sounds -----------------------------------------------------------------------------------------


@pytest.fixture
def talk(stage: Stage, alice: User) -> Talk:
    """The speakers of a talk between slt, who begins, and rms, told apart by a worker that has these samples."""

    def made(**samples: bytes) -> Job:
        sound = np.concatenate([said(name, line) for line in LINES for name in ("slt", "rms")])
        job = stage.decoded(alice, windows=1, disable_diarization=False)
        folder = Path(job.media).parent
        stored = {name: default_storage.save(f"{folder}/{name}", ContentFile(one)) for name, one in samples.items()}
        known = [{"name": name, "media": media} for name, media in stored.items()]
        media = default_storage.save(f"{folder}/talk.wav", ContentFile(wav(sound)))
        Job.objects.filter(pk=job.pk).update(media=media, known_speakers=known)
        Step.objects.filter(job=job, kind=Kind.WINDOW).update(speech=[list(span) for span in speech_in(pcm(sound))])
        stage.hear(stage.run("speech"))
        heart = Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))
        assert work_once("speech", heart)
        return fresh(job)

    return made


def sample(name: str) -> bytes:
    """A few seconds that are not in the talk."""
    return wav(said(name, "Good morning everybody, let us begin with the numbers of last month."))


@pytest.mark.engine
def test_voices_are_known_by_samples_in_whatever_order_these_come(talk: Talk) -> None:
    job = talk(Rms=sample("rms"), Slt=sample("slt"))
    assert names(job) == ["Slt", "Rms"]
    assert "Named by samples of their voices: 2 of 2 known speakers." in messages(job)
    assert not Speaker.objects.exists()
    assert not VoiceSample.objects.exists()


@pytest.mark.engine
def test_samples_of_others_and_bad_ones_name_nobody_and_cost_no_speakers(talk: Talk) -> None:
    silent = wav(np.zeros(48_000, np.float32))
    job = talk(Awb=sample("awb"), Silent=silent, Damaged=b"no sound at all", Slt=sample("slt"))
    assert names(job) == ["Slt", None]
    assert {
        "There is too little speech in the sample of “Silent”.",
        "The sample of “Damaged” can't be read.",
        "Named by samples of their voices: 1 of 4 known speakers.",
    } <= set(messages(job))
    assert fresh(job).diarization.state == "done"


@pytest.mark.engine
def test_who_has_two_names_gets_one_of_them(talk: Talk) -> None:
    one, other = names(talk(Slt=sample("slt"), Same=sample("slt")))
    assert one in ("Slt", "Same")
    assert other is None


def test_what_is_told_of_samples_is_told_in_the_reader_s_language() -> None:
    assert {
        "Named by samples of their voices: {count} of {known} known speakers.",
        "There is too little speech in the sample of “{name}”.",
        "The sample of “{name}” can't be read.",
        "The sample of “{name}” can't be heard.",
    } <= set(told.SENTENCES)
