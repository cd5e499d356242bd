"""Samples of the voices of known speakers: data URLs → the bytes of short recordings that can be read."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from collections.abc import Sequence
from threading import BoundedSemaphore
from typing import BinaryIO, cast

from django.conf import settings
from django.utils.translation import gettext as _

from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.errors import JobError
from whisper_jobs.intake import KnownSpeaker
from whisper_jobs.media import decoding
from whisper_jobs.told import in_words_of_the_reader

FIELD = "known_speaker_references"
LEAST_SECONDS, MOST_SECONDS = 1.2, 10.0
#: Containers tell and cut their length a little wrong.
TOLERANCE_SECONDS = 0.1
_URL = re.compile(r"data:[^,;]{0,100}(?:;[^,;]{1,100})*;base64,(?P<content>.+)", re.DOTALL)
#: Each takes a process; of many callers the others wait.
_turns = BoundedSemaphore(2)


def known(names: Sequence[str], urls: Sequence[str], *, listen: bool) -> tuple[KnownSpeaker, ...]:
    """Raises Refused. Without `listen` it is only looked at how they are written."""
    speakers = tuple(KnownSpeaker(name, _content(url)) for name, url in zip(names, urls, strict=True))
    for one in speakers:
        if listen:
            _demand_short(one)
    return speakers


def _content(url: str) -> bytes:
    found = _URL.fullmatch(url)
    try:
        content = base64.b64decode("".join(found["content"].split()), validate=True) if found else b""
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise _refused(_("Send each sample as a data URL, such as “data:audio/wav;base64,…”."))
    return content


def _demand_short(one: KnownSpeaker) -> None:
    try:
        seconds = _seconds(one.sample)
    except JobError as error:
        told = _("The sample of “%(name)s” can't be read: %(why)s")
        raise _refused(told % {"name": one.name, "why": in_words_of_the_reader(error.message)}) from error
    if not LEAST_SECONDS - TOLERANCE_SECONDS <= seconds <= MOST_SECONDS + TOLERANCE_SECONDS:
        told = _("The sample of “%(name)s” lasts %(seconds).1f s. Send 1.2 to 10 seconds.")
        raise _refused(told % {"name": one.name, "seconds": seconds})


def _seconds(sample: bytes) -> float:
    """How long it is, as far as that matters."""
    heard = 0
    with _turns, tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        file.write(sample)
        file.seek(0)
        limits = decoding.DecodeLimits(cpu_seconds=30, stall_seconds=30.0)
        with decoding.decode(cast(BinaryIO, file), limits=limits) as sound:
            for samples in sound:
                heard += len(samples)
                if heard > 2 * MOST_SECONDS * decoding.SAMPLE_RATE:
                    break
    return heard / decoding.SAMPLE_RATE


def _refused(message: str) -> Refused:
    return Refused(Kind.INVALID, message, field=FIELD)
