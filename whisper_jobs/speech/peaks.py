"""How loud a recording is as it goes on, for players to draw: one byte for each short stretch, found while it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: 50 ms, a syllable or less.
FINEST_PER_SECOND = 20
#: As JSON less than 200 kB. Longer recordings have longer stretches: twice as long beyond 40 minutes, and so on.
MOST_PEAKS = 48_000
FULL_SCALE = 32_768

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shape:
    """`peaks`: 0 for silence to 255 for full scale; `per_second` of them."""

    per_second: float
    peaks: bytes


class PeakMeter:
    """Fed with samples in order from the recording's start. Memory holds no more than `most` peaks, however long it is."""

    def __init__(self, sample_rate: int, *, per_second: int = FINEST_PER_SECOND, most: int = MOST_PEAKS) -> None:
        self._sample_rate = sample_rate
        self._most = most
        self._stretch = sample_rate // per_second
        self._peaks: Bytes = np.zeros(0, np.uint8)
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)

    def feed(self, samples: NDArray[np.int16]) -> None:
        heard = np.concatenate((self._rest, samples))
        whole = len(heard) // self._stretch * self._stretch
        self._rest = heard[whole:].copy()
        self._peaks = np.concatenate((self._peaks, _loudest(heard[:whole], self._stretch)))
        while len(self._peaks) > self._most:
            self._coarsen()

    def finish(self) -> Shape:
        """The last stretch may be short."""
        last = _loudest(self._rest, len(self._rest)) if len(self._rest) else self._rest.astype(np.uint8)
        return Shape(self._sample_rate / self._stretch, np.concatenate((self._peaks, last)).tobytes())

    def _coarsen(self) -> None:
        """Two stretches become one. An odd one at the end was heard completely, so it waits as samples of its loudness."""
        pairs = len(self._peaks) // 2 * 2
        odd = self._peaks[pairs:]
        self._peaks = self._peaks[:pairs].reshape(-1, 2).max(axis=1)
        if len(odd):
            loudness = np.int16(int(odd[0]) * (FULL_SCALE - 1) // 255)
            self._rest = np.concatenate((np.full(self._stretch, loudness, np.int16), self._rest))
        self._stretch *= 2


def _loudest(samples: NDArray[np.int16], stretch: int) -> Bytes:
    """The highest sample of each stretch, in either direction."""
    if not len(samples):
        return np.zeros(0, np.uint8)
    levels = np.abs(samples.astype(np.int32)).reshape(-1, stretch).max(axis=1)
    peaks: Bytes = np.minimum(255, levels * 256 // FULL_SCALE).astype(np.uint8)
    return peaks
