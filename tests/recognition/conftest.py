"""Voices that are vectors of their own, speakers who are enrolled with them, and jobs in which they are heard."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage, fresh
from tests.speech.flite import speech
from whisper_jobs import recognition, voices
from whisper_jobs.models import Job, Segment, Speaker
from whisper_jobs.recognition import Voices
from whisper_jobs.segment_rows import spoken as as_spoken
from whisper_jobs.speech.diarizers.assign import assign
from whisper_jobs.speech.diarizers.base import Floats, Turn
from whisper_jobs.speech.overheard import HeardVoice

Enrol = Callable[..., Speaker]
Hear = Callable[..., Job]


def voice(number: int) -> Floats:
    """A vector of its own for each number: none is near another."""
    vector = np.random.default_rng(number).normal(size=192).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def near(vector: Floats, cosine: float) -> Floats:
    """A vector at this cosine from another."""
    other = voice(1000)
    across = other - (other @ vector) * vector
    found: Floats = (cosine * vector + np.sqrt(1 - cosine**2) * across / np.linalg.norm(across)).astype(np.float32)
    return found


def spoken(seconds: float) -> bytes:
    """A voice that a synthesizer made, as a WAV file."""
    text = "I have an hour of recordings, and I want to read what was said, because nobody remembers all of it. "
    samples = speech(text * 3, "slt")[: round(seconds * 16_000)]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


@pytest.fixture
def enroller(alice: User) -> User:
    """alice, who may enrol."""
    grant(alice, "scaiecho:enroll")
    return User.objects.get(pk=alice.pk)


@pytest.fixture
def enrol(db: None) -> Enrol:
    """A speaker with this voice, as far as rows tell of it."""

    def made(owner: User, name: str, vector: Floats, **fields: Any) -> Speaker:
        told = {"language_primary": "en", "enrollment_status": "ready", "consent_text": "I agree.", **fields}
        speaker = Speaker.objects.create(owner=owner, tenant_id=owner.tenant_id, display_name=name, **told)
        voices.store(speaker.pk, vector, seconds=20.0)
        return speaker

    return made


@pytest.fixture
def hear(stage: Stage) -> Hear:
    """A completed job of 20 s per voice: each window is said by the next of them."""

    def made(owner: User, heard: Mapping[str, Floats], **fields: Any) -> Job:
        job = stage.decoded(owner, windows=len(heard), disable_diarization=False, **fields)
        for _ in heard:
            stage.hear(stage.run("speech"))
        diarize(stage, fresh(job), heard)
        stage.assemble(stage.run("deliver"))
        return fresh(job)

    return made


def diarize(stage: Stage, job: Job, heard: Mapping[str, Floats]) -> None:
    """As the step does it: label → voice, in the order of the windows."""
    turns = [Turn(place * 10.0, place * 10.0 + 9.0, label) for place, label in enumerate(heard)]
    rows = list(Segment.objects.filter(job=job).order_by("start", "id"))
    parts = dict(zip((row.pk for row in rows), assign([as_spoken(row) for row in rows], turns), strict=True))
    told = {label: HeardVoice(vector, 9.0) for label, vector in heard.items()}
    stage.diarize(
        stage.run("speech"),
        method="fake",
        reason=f"{len(heard)} speakers were told apart.",
        turns=turns,
        parts=parts,
        found=Voices(told, recognition.book_for(job.owner)),
    )


def names(job: Job) -> list[str | None]:
    return [one["name"] for one in fresh(job).diarization.speakers]
