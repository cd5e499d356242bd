"""Whether a recording is good enough to know a voice by: how long, how clear, how loud, and of one person only. Pure.

Called in a child process when a speaker is enrolled. What is too bad is named by a code; sentences are the caller's matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Diarizer, Hints, Pcm, Span
from whisper_jobs.speech.vad import FRAME_SAMPLES
from whisper_jobs.speech.windows import WindowCutter, as_floats

#: Below three seconds of speech the vectors of one person scatter nearly as far as those of two.
LEAST_SPEECH_SECONDS = 3.0
#: A voice is known after a minute and a half; what is longer costs time and often has somebody else in it.
MOST_SECONDS = 300.0
#: Noise as loud as a third of the speech begins to be heard as part of the voice.
LEAST_SNR_DB = 10.0
#: A sample in a hundred cut off is what a microphone gives that is far too loud; single peaks do no harm.
MOST_CLIPPING = 0.01
#: Below this little is left of 16 bits, and of what lossy formats keep.
LEAST_LEVEL_DBFS = -45.0
#: Another voice is one that is heard this long and for this share of the speech: a cough or an "mhm" is none.
OTHER_SECONDS, OTHER_SHARE = 1.0, 0.05

#: Who says less than this has not agreed to anything.
LEAST_CONSENT_SECONDS = 1.0

#: From here on a sample counts as cut off.
_FULL_SCALE = 32_700
#: Noise is measured so far from speech at least, and in so much sound.
_AWAY_SECONDS, _NOISE_SECONDS = 0.15, 0.3
#: The quietest frames within speech are pauses between sounds.
_QUIETEST_PERCENT = 5.0
_BEST_SNR_DB, _SILENCE = 60.0, 1e-10


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was measured, and the codes of what is wrong.

    These are too_long, too_little_speech, too_noisy, clipped, too_quiet and several_voices.
    """

    duration_seconds: float
    speech_seconds: float = 0.0
    snr_db: float = 0.0
    clipping_ratio: float = 0.0
    level_dbfs: float = -100.0
    voices: int = 0
    issues: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.issues

    def told(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "ok": self.ok,
            "duration_seconds": round(self.duration_seconds, 2),
            "speech_seconds": round(self.speech_seconds, 2),
            "snr_db": round(self.snr_db, 1),
            "clipping_ratio": round(self.clipping_ratio, 4),
            "level_dbfs": round(self.level_dbfs, 1),
            "voices": self.voices,
            "issues": list(self.issues),
        }


def speech_in(sound: Pcm) -> list[Span]:
    """Where somebody speaks, seconds."""
    cutter = WindowCutter()
    return [span for window in (*cutter.feed(sound), *cutter.finish()) for span in window.speech]


def examine(sound: Pcm, diarizer: Diarizer | None = None) -> Preflight:
    """`sound`: 16 kHz mono. Without a diarizer nobody says how many voices there are. Raises JobError."""
    seconds = len(sound) / SAMPLE_RATE
    if seconds > MOST_SECONDS:
        return Preflight(seconds, issues=("too_long",))
    speech = speech_in(sound)
    spoken = sum(end - start for start, end in speech)
    if spoken < LEAST_SPEECH_SECONDS:
        return Preflight(seconds, spoken, issues=("too_little_speech",))
    level, snr = _loudness(sound, speech)
    clipping = _clipping(sound, speech)
    voices = _voices(sound, speech, diarizer) if diarizer else 0
    wrong = {
        "too_noisy": snr < LEAST_SNR_DB,
        "clipped": clipping > MOST_CLIPPING,
        "too_quiet": level < LEAST_LEVEL_DBFS,
        "several_voices": voices > 1,
    }
    return Preflight(
        seconds, spoken, snr, clipping, level, voices, tuple(code for code, is_so in wrong.items() if is_so)
    )


def _loudness(sound: Pcm, speech: Sequence[Span]) -> tuple[float, float]:
    """Level of the speech in dB below full scale, and how far the noise is below it, by the mean power of frames of 32 ms."""
    frames = as_floats(sound)[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    powers = np.square(frames, dtype=np.float64).mean(axis=1)
    spoken, away = _within(speech, len(powers), 0.0), ~_within(speech, len(powers), _AWAY_SECONDS)
    within = powers[spoken]
    if not len(within):
        return -100.0, 0.0
    # A gate may have silenced the pauses: then what is heard between sounds tells.
    noise = max(float(np.percentile(within, _QUIETEST_PERCENT)), _SILENCE)
    if away.sum() * FRAME_SAMPLES >= _NOISE_SECONDS * SAMPLE_RATE:
        noise = max(noise, float(powers[away].mean()))
    loud = float(within.mean())
    return _decibels(loud), min(_BEST_SNR_DB, _decibels(max(loud - noise, _SILENCE)) - _decibels(noise))


def _within(speech: Sequence[Span], frames: int, padding: float) -> npt.NDArray[np.bool_]:
    inside = np.zeros(frames, np.bool_)
    for start, end in speech:
        first = math.floor(max(0.0, start - padding) * SAMPLE_RATE / FRAME_SAMPLES)
        inside[first : math.ceil((end + padding) * SAMPLE_RATE / FRAME_SAMPLES)] = True
    return inside


def _clipping(sound: Pcm, speech: Sequence[Span]) -> float:
    """The share of the samples of speech that are cut off."""
    parts = [sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] for start, end in speech]
    cut_off = sum(int((np.abs(part.astype(np.int32)) >= _FULL_SCALE).sum()) for part in parts)
    return cut_off / max(1, sum(len(part) for part in parts))


def _voices(sound: Pcm, speech: Sequence[Span], diarizer: Diarizer) -> int:
    """How many speak for long enough to be somebody."""
    seconds: dict[str, float] = {}
    for turn in diarizer.diarize([sound], Hints(speech)).turns:
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + turn.end - turn.start
    enough = max(OTHER_SECONDS, OTHER_SHARE * sum(seconds.values()))
    return max(1, sum(heard >= enough for heard in seconds.values()))


def _decibels(power: float) -> float:
    return 10 * math.log10(max(power, _SILENCE))
