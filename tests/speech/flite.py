"""Speech made by flite: any text in one of its voices."""

from __future__ import annotations

import subprocess
import wave
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt


@cache
def speech(text: str, voice: str) -> npt.NDArray[np.float32]:
    """Mono at 16 kHz, -1 … 1. Voices that speak at that rate: slt, rms, awb, kal16."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "said.wav")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True)
        with wave.open(str(file)) as sound:
            assert sound.getframerate() == 16_000
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    return pcm.astype(np.float32) / np.float32(32768)
