"""Log mel energies as Kaldi's `compute-fbank-feats` gives them, which the voice encoder was trained on."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Floats

Doubles = npt.NDArray[np.float64]

BANDS = 80
FRAME_SAMPLES = 400
STEP_SAMPLES = 160
_FFT = 512
_LOWEST_HZ = 20.0
_PREEMPHASIS = 0.97


def log_mel(samples: Floats) -> torch.Tensor:
    """Mono at 16 kHz in -1 … 1, at least 25 ms → (frames, 80), a frame of 25 ms each 10 ms; only whole ones."""
    frames = torch.from_numpy(samples).unfold(0, FRAME_SAMPLES, STEP_SAMPLES)
    frames = frames - frames.mean(dim=1, keepdim=True)
    before = torch.cat((frames[:, :1], frames[:, :-1]), dim=1)
    spectrum = torch.fft.rfft((frames - _PREEMPHASIS * before) * _window(), _FFT)
    power = spectrum.real.square() + spectrum.imag.square()
    energies: torch.Tensor = (power @ _mel_filters()).clamp_min(torch.finfo(torch.float32).eps).log()
    return energies


@cache
def _window() -> torch.Tensor:
    """Povey's: a Hann window to the power of 0.85."""
    return torch.hann_window(FRAME_SAMPLES, periodic=False).pow(0.85)


@cache
def _mel_filters() -> torch.Tensor:
    """(bins, bands): triangles of equal width on Kaldi's mel scale."""
    bins = _mel(np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT)[:, None]
    edges = np.linspace(_mel(np.array(_LOWEST_HZ)), _mel(np.array(SAMPLE_RATE / 2)), BANDS + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    # Kaldi leaves out the highest bin.
    triangles[-1] = 0.0
    return torch.from_numpy(np.maximum(0.0, triangles).astype(np.float32))


def _mel(hertz: Doubles) -> Doubles:
    return 1127.0 * np.log1p(hertz / 700.0)
