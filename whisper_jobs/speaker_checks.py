"""Hears what somebody hands in to be enrolled: decoded in one child process, measured in another. Stores nothing.

Called when a speaker is enrolled, and by workers that make up for a voice that could not be heard then.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any, BinaryIO

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from whisper_jobs.errors import JobError
from whisper_jobs.media import decoding
from whisper_jobs.media.launching import child
from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Floats, Pcm
from whisper_jobs.speech.enrolling import LEAST_CONSENT_SECONDS, MOST_SECONDS

log = logging.getLogger(__name__)
#: A file of fewer bytes holds no sentence in any format.
LEAST_CONSENT_BYTES = 1024
#: For five minutes of sound on a slow machine; and who comes meanwhile waits so long for the one before.
PATIENCE_SECONDS, TURN_SECONDS = 180.0, 60.0
#: Code of a preflight → what to do about it.
ISSUES = {
    "unreadable": _("The recording can't be read. Export it again, in a common format such as WAV or MP3."),
    "too_long": _("The recording is longer than five minutes. A minute of clear speech is enough."),
    "too_little_speech": _("There is too little speech in the recording. Record half a minute of it."),
    "too_noisy": _("There is too much noise. Record in a quiet room, near to the microphone."),
    "clipped": _("The recording is too loud, so that it is distorted. Record it with less gain."),
    "too_quiet": _("The recording is too quiet. Record it nearer to the microphone."),
    "several_voices": _("More than one voice is heard. Record the speaker alone."),
}
#: One at a time in a process: what hears takes some hundred megabytes. And so many may wait, each with a thread.
_turn, _room = Lock(), BoundedSemaphore(8)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """`vector` is None where the preflight failed, and where this machine knows no voices: `missing` then says why."""

    preflight: Mapping[str, Any]
    vector: Floats | None
    missing: str = ""

    @property
    def seconds(self) -> float:
        return float(self.preflight["speech_seconds"])


class ConsentInvalid(Exception):
    """The consent can't be taken for one; the message is a sentence."""


def hear(reference: BinaryIO, consent: BinaryIO | None = None) -> Heard:
    """Both are open files. Raises ConsentInvalid, and JobError where this server, not the file, is to blame."""
    with _in_turn():
        agreed = _decoded_consent(consent) if consent else np.zeros(0, np.int16)
        try:
            sound = _decoded(reference)
        except JobError as error:
            if error.retry:
                raise
            return Heard(_unreadable(error), None)
        told = _measured(sound, agreed)
    if consent and told["consent_seconds"] < LEAST_CONSENT_SECONDS:
        raise ConsentInvalid(_("Nobody says anything in the recording of the consent."))
    vector = np.array(told["vector"], np.float32) if told["vector"] else None
    return Heard(told["preflight"], vector, told["missing"])


@contextmanager
def _in_turn() -> Iterator[None]:
    """Raises JobError for who comes when too many wait, or waits too long."""
    busy = JobError("timeout", "The server is enrolling other speakers. Try again in a minute.", retry=True)
    if not _room.acquire(blocking=False):
        raise busy
    try:
        if not _turn.acquire(timeout=TURN_SECONDS):
            raise busy
        try:
            yield
        finally:
            _turn.release()
    finally:
        _room.release()


def _decoded_consent(consent: BinaryIO) -> Pcm:
    try:
        return _decoded(consent)
    except JobError as error:
        if error.retry:
            raise
        raise ConsentInvalid(_("The recording of the consent can't be read.")) from error


def _decoded(file: BinaryIO) -> Pcm:
    """The beginning of the sound; a little more than may be, so that too much shows."""
    file.seek(0)
    parts: list[Pcm] = []
    with decoding.decode(file, limits=decoding.DecodeLimits(cpu_seconds=120)) as sound:
        for samples in sound:
            parts.append(samples)
            if sum(map(len, parts)) > (MOST_SECONDS + 1) * SAMPLE_RATE:
                break
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def _unreadable(error: JobError) -> dict[str, Any]:
    code = "too_long" if error.code == "source_too_long" else "unreadable"
    zeros = dict.fromkeys(("duration_seconds", "speech_seconds", "snr_db", "clipping_ratio"), 0.0)
    return {"ok": False, **zeros, "issues": [code]}


def _measured(reference: Pcm, consent: Pcm) -> dict[str, Any]:
    """By the child; the samples are in a file without a name, gone with this process whatever happens."""
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        for sound in (reference, consent):
            file.write(sound.astype("<i2").tobytes())
        file.seek(0)
        options = {
            "fd": file.fileno(),
            "reference": len(reference),
            "consent": len(consent),
            "threads": settings.TOOLS.speech_threads,
        }
        module = "whisper_jobs.speech.enrolling_child"
        with child(module, options, should_stop=lambda: False, pass_fds=(file.fileno(),)) as running:
            answer = bytearray()
            while part := running.read(1 << 16, PATIENCE_SECONDS):
                answer += part
            status = running.death()
    if status or not answer:
        log.error("the child that hears voices ended with %d", status)
        raise JobError("internal_error", retry=True)
    told: dict[str, Any] = json.loads(answer)
    return told
