"""Sound as Realtime clients append it: base64 of PCM or of G.711, to the bytes that the live process takes."""

from __future__ import annotations

import base64
import binascii
from functools import cache

import numpy as np
import numpy.typing as npt

from whisper_jobs.dialects.openai.realtime_session import ALAW, PCM

Table = npt.NDArray[np.int16]


class NotBase64(ValueError):
    """It can't be read."""


def decoded(text: str) -> bytes:
    """Raises NotBase64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64 from error


def as_pcm(sound: bytes, form: str) -> bytes:
    """16-bit samples, little-endian."""
    if form == PCM:
        return sound
    samples = (_alaw if form == ALAW else _ulaw)()[np.frombuffer(sound, np.uint8)]
    return samples.astype("<i2").tobytes()


@cache
def _ulaw() -> Table:
    """ITU-T G.711 µ-law: complemented bits of a sign, an exponent and a mantissa, with a bias of 33 in 14 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = (((2 * mantissa + 33) << exponent) - 33) << 2
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


@cache
def _alaw() -> Table:
    """ITU-T G.711 A-law: every other bit inverted, linear in the lowest two segments, 13 bits."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    steps = np.where(exponent > 0, (2 * mantissa + 33) << np.maximum(exponent - 1, 0), 2 * mantissa + 1)
    magnitude = steps << 3
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
