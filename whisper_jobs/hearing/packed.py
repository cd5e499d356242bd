"""What an engine says, as JSON: on its way from an ear, and in the journal of a session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from whisper_jobs.speech.engines.base import Result, Samples
from whisper_jobs.speech.transcript import Decoding, Segment, Word

Json = dict[str, Any]
_FULL_SCALE = np.float32(32768)


def segments(told: Iterable[Segment]) -> list[Json]:
    return [asdict(one) for one in told]


def segments_of(packed: Iterable[Json]) -> tuple[Segment, ...]:
    return tuple(_segment(one) for one in packed)


def _segment(packed: Json) -> Segment:
    words = tuple(Word(**word) for word in packed["words"])
    decoding = Decoding(**packed["decoding"]) if packed["decoding"] else None
    return Segment(**{**packed, "words": words, "decoding": decoding})


def result(told: Result) -> Json:
    language = {"language": told.language, "language_probability": told.language_probability}
    return {"segments": segments(told.segments), **language}


def result_of(packed: Json) -> Result:
    return Result(segments_of(packed["segments"]), packed["language"], packed["language_probability"])


def sound(samples: Samples) -> bytes:
    """Floats that were made of 16-bit samples, as those samples again."""
    scaled = np.clip(np.rint(samples * _FULL_SCALE), -32768, 32767)
    return bytes(scaled.astype("<i2").data)


def sound_of(packed: bytes) -> Samples:
    return np.frombuffer(packed, dtype="<i2").astype(np.float32) / _FULL_SCALE
