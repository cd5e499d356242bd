"""The lines of the sample recording, said by flite one by one, with the times of their words from the synthesiser itself."""

from __future__ import annotations

import re
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.windows import as_floats

Floats = npt.NDArray[np.float32]
RATE = 16_000
TEXT = Path(__file__).parents[2] / "static" / "sample" / "two-voices.txt"
#: Who says a line: the two take turns.
VOICES = ("slt", "rms")
PAUSE = "pau"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """`words` are (start, end, text) in seconds of `samples`, which are -1 … 1 at 16 kHz, with a little silence around."""

    text: str
    samples: Floats
    words: tuple[tuple[float, float, str], ...]

    @property
    def start(self) -> float:
        return self.words[0][0]

    @property
    def end(self) -> float:
        return self.words[-1][1]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


@cache
def spoken_lines() -> tuple[Line, ...]:
    texts = TEXT.read_text().splitlines()
    return tuple(say(text, voice=VOICES[place % 2]) for place, text in enumerate(texts))


def say(text: str, *, voice: str) -> Line:
    """flite's voices slt and rms speak at 16 kHz; it prints the phones that it says with the time at which each ends."""
    samples, phones = _flite(text, voice)
    words, said = text.split(), [span for span, phone in phones if phone != PAUSE]
    counts = _counts(words, voice)
    if (len(counts), sum(counts)) != (len(words), len(said)):
        raise AssertionError(f"flite says {len(said)} phones for {text!r}, and {counts} word by word")
    firsts = np.cumsum([0, *counts]).tolist()
    spans = [(said[first][0], said[last - 1][1]) for first, last in pairwise(firsts)]
    return Line(text, samples, tuple((*span, word) for span, word in zip(spans, words, strict=True)))


def _counts(words: Sequence[str], voice: str) -> list[int]:
    """How many phones each word has: as a sentence of its own, each has a pause before and behind."""
    _samples, phones = _flite(" ".join(f"{word.strip('.,?')}." for word in words), voice)
    parts = groupby((phone for _span, phone in phones), key=lambda phone: phone != PAUSE)
    return [len(list(part)) for is_word, part in parts if is_word]


def _flite(text: str, voice: str) -> tuple[Floats, list[tuple[tuple[float, float], str]]]:
    """The samples, and the phones as ((start, end), name)."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", voice, "-t", text, "-psdur", "-o", file.name]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        with wave.open(file.name) as sound:
            assert (sound.getframerate(), sound.getnchannels()) == (RATE, 1)
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    phones, before = list[tuple[tuple[float, float], str]](), 0.0
    for name, end in re.findall(r"(\w+):([\d.]+)", printed):
        phones.append(((before, float(end)), name))
        before = float(end)
    return as_floats(pcm), phones
