"""Recordings of voices as files: what people hand in when somebody is enrolled."""

from __future__ import annotations

import io
import wave
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.speech.flite import speech

Floats = npt.NDArray[np.float32]
RATE = 16_000
LINES = (
    "I have an hour of recordings, and I want to read what was said.",
    "Everything stays on this server, as you asked for, and nobody else can hear it.",
)
CONSENT = "I agree that this server keeps my voice and recognises me in recordings."


@cache
def said(voice: str, *lines: str) -> Floats:
    """The lines with half a second of quiet around each, as a room is: not digital silence."""
    quiet = np.random.default_rng(1).normal(0, 1e-4, RATE // 2).astype(np.float32)
    parts = [part for line in lines or LINES for part in (speech(line, voice), quiet)]
    return np.concatenate([quiet, *parts])


def noisy(samples: Floats, snr_db: float) -> Floats:
    """With white noise so far below the mean of what is said."""
    loud = float(np.square(samples[np.abs(samples) > 1e-3]).mean())
    noise = np.random.default_rng(2).normal(0, np.sqrt(loud / 10 ** (snr_db / 10)), len(samples))
    return (samples + noise).astype(np.float32)


def pcm(samples: Floats) -> npt.NDArray[np.int16]:
    return (np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)


def wav(samples: Floats) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm(samples).tobytes())
    return out.getvalue()


def form(**changed: Any) -> dict[str, Any]:
    """A complete POST /speakers; None leaves a field out."""
    told = {
        "display_name": "Ada Lovelace",
        "language_primary": "en",
        "description": "Chairs the meetings.",
        "consent_user_full_name": "Augusta Ada King",
        "consent_stated_purpose": "Minutes of the board",
        "consent_text": CONSENT,
        "reference": SimpleUploadedFile("../../ada.wav", wav(said("slt"))),
        "consent": SimpleUploadedFile("consent.wav", wav(said("slt", CONSENT))),
        **changed,
    }
    return {name: value for name, value in told.items() if value is not None}
