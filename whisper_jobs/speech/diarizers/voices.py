"""A stretch of one person's speech → a vector of length 1 that is near the vectors of the same person's other stretches.

The network is CAM++ (Wang et al., "CAM++: A fast and efficient network for speaker verification using context-aware masking",
2023) with 3D-Speaker's weights, trained on 200,000 Chinese and English speakers. Called by the clustering diarizer.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from whisper_jobs.speech.diarizers.base import Floats
from whisper_jobs.speech.diarizers.bundled import Weights, voice_weights

DIMENSIONS = 192
#: Layers and dilation of the three dense blocks.
_BLOCKS = ((12, 1), (24, 2), (16, 2))
#: Frames whose mean is the near context of each of them.
_CONTEXT_FRAMES = 100


class VoiceEncoder:
    """Made once per process. Raises Unavailable when there are no weights."""

    def __init__(self) -> None:
        self._weights: Weights = voice_weights()

    @torch.inference_mode()
    def encode(self, energies: torch.Tensor) -> Floats:
        """`energies`: (frames, 80) of filterbank.log_mel, only frames in which the person speaks; (192,)."""
        # The mean over time is the microphone and the room, not the voice.
        values = (energies - energies.mean(dim=0)).T[None, None]
        values = self._head(values)
        values = self._norm(
            "xvector.tdnn.nonlinear", self._conv("xvector.tdnn.linear", values, stride=2, padding=2)
        ).relu_()
        for number, (layers, dilation) in enumerate(_BLOCKS, start=1):
            for layer in range(1, layers + 1):
                more = self._dense(f"xvector.block{number}.tdnnd{layer}", values, dilation=dilation)
                values = torch.cat((values, more), dim=1)
            name = f"xvector.transit{number}"
            values = self._conv(f"{name}.linear", self._norm(f"{name}.nonlinear", values).relu_())
        values = self._norm("xvector.out_nonlinear", values).relu_()
        spread = values.std(dim=2) if values.shape[2] > 1 else torch.full_like(values[:, :, 0], 1e-2)
        pooled = torch.cat((values.mean(dim=2), spread), dim=1).unsqueeze(2)
        voice = self._norm("xvector.dense.nonlinear", self._conv("xvector.dense.linear", pooled))[0, :, 0]
        encoded: Floats = functional.normalize(voice, dim=0).numpy()
        return encoded

    def _head(self, values: torch.Tensor) -> torch.Tensor:
        """(1, 1, 80, frames) → (1, 320, frames): a small residual network over the spectrum as a picture."""
        values = self._norm("head", self._conv2d("head.conv1", values, padding=1), "bn1").relu_()
        for layer in ("head.layer1", "head.layer2"):
            values = self._residual(f"{layer}.0", values, stride=2)
            values = self._residual(f"{layer}.1", values, stride=1)
        values = self._norm("head", self._conv2d("head.conv2", values, stride=2, padding=1), "bn2").relu_()
        return values.flatten(1, 2)

    def _residual(self, name: str, values: torch.Tensor, *, stride: int) -> torch.Tensor:
        out = self._norm(name, self._conv2d(f"{name}.conv1", values, stride=stride, padding=1), "bn1").relu_()
        out = self._norm(name, self._conv2d(f"{name}.conv2", out, padding=1), "bn2")
        if stride > 1:
            values = self._norm(f"{name}.shortcut", self._conv2d(f"{name}.shortcut.0", values, stride=stride), "1")
        return (out + values).relu_()

    def _dense(self, name: str, values: torch.Tensor, *, dilation: int) -> torch.Tensor:
        values = self._conv(f"{name}.linear1", self._norm(f"{name}.nonlinear1", values).relu_())
        values = self._norm(f"{name}.nonlinear2", values).relu_()
        local = self._conv(f"{name}.cam_layer.linear_local", values, padding=dilation, dilation=dilation)
        context = values.mean(dim=2, keepdim=True) + _near_mean(values)
        mask = self._conv(f"{name}.cam_layer.linear2", self._conv(f"{name}.cam_layer.linear1", context).relu_())
        return local * mask.sigmoid_()

    def _conv(
        self, name: str, values: torch.Tensor, *, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> torch.Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias")
        return functional.conv1d(values, weight, bias, stride=stride, padding=padding, dilation=dilation)

    def _conv2d(self, name: str, values: torch.Tensor, *, stride: int = 1, padding: int = 0) -> torch.Tensor:
        """Strides over the bands only: time keeps its frames."""
        return functional.conv2d(values, self._weights[f"{name}.weight"], stride=(stride, 1), padding=padding)

    def _norm(self, name: str, values: torch.Tensor, layer: str = "batchnorm") -> torch.Tensor:
        name = f"{name}.{layer}"
        mean, variance = self._weights[f"{name}.running_mean"], self._weights[f"{name}.running_var"]
        return functional.batch_norm(
            values, mean, variance, self._weights.get(f"{name}.weight"), self._weights.get(f"{name}.bias")
        )


def _near_mean(values: torch.Tensor) -> torch.Tensor:
    means = functional.avg_pool1d(values, _CONTEXT_FRAMES, stride=_CONTEXT_FRAMES, ceil_mode=True)
    return means.repeat_interleave(_CONTEXT_FRAMES, dim=2)[:, :, : values.shape[2]]
