"""Samples without a header, as tools send them that have decoded a film themselves, made a WAV file."""

from __future__ import annotations

import wave
from typing import IO, Any, cast

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext as _

from whisper_jobs.dialects.refusals import Kind, Refused

#: As whisper-asr-webservice takes them.
SAMPLE_RATE, SAMPLE_BYTES = 16_000, 2
#: Of a WAV file, less what is not samples.
MOST_BYTES = (1 << 32) - 1024
_HEAD_BYTES = 12


def as_wav(file: UploadedFile[Any]) -> UploadedFile[Any]:
    """The same sound with a header; a file that has one stays as it is. Raises Refused, OSError when the disk is full."""
    if _has_header(file):
        return file
    if (file.size or 0) > MOST_BYTES:
        raise Refused(
            Kind.TOO_LARGE, _("These are more samples than fit in a WAV file. Send them in a compressed format.")
        )
    whole = TemporaryUploadedFile(f"{file.name}.wav", "audio/wav", 0, None)
    try:
        _write(cast("IO[bytes]", whole.file), file)
    except BaseException:
        whole.close()
        raise
    whole.size = whole.tell()
    whole.seek(0)
    return whole


def _has_header(file: UploadedFile[Any]) -> bool:
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    return bool(head[:4] == b"RIFF" and head[8:] == b"WAVE")


def _write(whole: IO[bytes], file: UploadedFile[Any]) -> None:
    with wave.open(whole, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(SAMPLE_BYTES)
        sound.setframerate(SAMPLE_RATE)
        for chunk in file.chunks():
            sound.writeframesraw(chunk)
