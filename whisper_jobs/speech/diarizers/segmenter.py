"""Who of up to three voices speaks in ten seconds of sound, frame by frame, overlaps included.

The network is PyanNet with the weights of pyannote/segmentation-3.0 (Plaquet and Bredin, "Powerset multi-class cross entropy loss
for neural speaker diarization", 2023). The voices are numbered anew in each piece: which of them are the same person is for
others to say. Called by the clustering diarizer.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

from whisper_jobs.speech.diarizers.base import Floats
from whisper_jobs.speech.diarizers.bundled import segmentation_weights

CHUNK_SAMPLES = 160_000
#: Samples from one frame to the next, and the middle of the first one: three poolings by 3 after a filter of stride 10.
FRAME_STEP = 270
FIRST_FRAME = 495
CHUNK_FRAMES = 589
VOICES = 3

#: What the classes of the network mean: nobody, one of the voices, two of them at once.
_CLASSES = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]]).float()
_FILTER_SAMPLES = 251
_NARROWEST_HZ = 50.0


class Segmenter:
    """Made once per process. Raises Unavailable when there are no weights."""

    def __init__(self) -> None:
        weights = segmentation_weights()
        self._weights = weights
        self._filters = _sinc_filters(
            weights["sincnet.conv1d.0.filterbank.low_hz_"], weights["sincnet.conv1d.0.filterbank.band_hz_"]
        )
        self._lstm = torch.nn.LSTM(60, 128, num_layers=4, bidirectional=True, batch_first=True).eval()
        self._lstm.load_state_dict({name[5:]: value for name, value in weights.items() if name.startswith("lstm.")})

    @torch.inference_mode()
    def segment(self, chunk: Floats) -> Floats:
        """`chunk`: CHUNK_SAMPLES in -1 … 1. (CHUNK_FRAMES, VOICES): how probable it is that the voice speaks."""
        features = self._listen(torch.from_numpy(chunk).view(1, 1, -1))
        heard, _ = self._lstm(features.transpose(1, 2))
        for layer in ("linear.0", "linear.1"):
            heard = functional.leaky_relu(self._linear(layer, heard))
        classes = self._linear("classifier", heard)[0].softmax(dim=1)
        activity: Floats = (classes @ _CLASSES).numpy()
        return activity

    def _linear(self, layer: str, values: torch.Tensor) -> torch.Tensor:
        return functional.linear(values, self._weights[f"{layer}.weight"], self._weights[f"{layer}.bias"])

    def _listen(self, sound: torch.Tensor) -> torch.Tensor:
        """(1, 1, samples) → (1, 60, frames)."""
        sound = self._normalised("sincnet.wav_norm1d", sound)
        filtered = functional.conv1d(sound, self._filters, stride=10).abs()
        for layer in range(3):
            if layer:
                name = f"sincnet.conv1d.{layer}"
                filtered = functional.conv1d(filtered, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])
            pooled = functional.max_pool1d(filtered, 3, stride=3)
            filtered = functional.leaky_relu(self._normalised(f"sincnet.norm1d.{layer}", pooled))
        return filtered

    def _normalised(self, layer: str, values: torch.Tensor) -> torch.Tensor:
        weight, bias = self._weights[f"{layer}.weight"], self._weights[f"{layer}.bias"]
        return functional.instance_norm(values, weight=weight, bias=bias)


def _sinc_filters(low_hz: torch.Tensor, band_hz: torch.Tensor) -> torch.Tensor:
    """(80, 1, 251): band-pass filters, first the even ones, then their odd counterparts.

    Ravanelli and Bengio, "Speaker recognition from raw waveform with SincNet", 2018; the odd ones: Pariente et al.,
    "Filterbank design for end-to-end speech separation", 2020.
    """
    low = _NARROWEST_HZ + low_hz.abs()
    high = (low + _NARROWEST_HZ + band_hz.abs()).clamp(_NARROWEST_HZ, 8000.0)
    half = _FILTER_SAMPLES // 2
    seconds = 2 * math.pi * torch.arange(-half, 0.0).view(1, -1) / 16_000
    window = torch.from_numpy(np.hamming(_FILTER_SAMPLES)[:half]).float() / (seconds / 2)
    band = high - low
    even = (torch.sin(high * seconds) - torch.sin(low * seconds)) * window
    odd = (torch.cos(low * seconds) - torch.cos(high * seconds)) * window
    middle = torch.cat((2 * band, torch.zeros_like(band)))
    left, right = torch.cat((even, odd)), torch.cat((even.flip(1), -odd.flip(1)))
    filters = torch.cat((left, middle, right), dim=1) / (2 * torch.cat((band, band)))
    return filters.unsqueeze(1)
