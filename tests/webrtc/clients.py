"""A client with a microphone, as browsers are, made of aiortc: what it plays is a tone, silence or speech, in real time."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import time
from collections.abc import AsyncIterator

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

from whisper_jobs.speech.windows import Pcm

RATE, FRAME = 48_000, 960


class Microphone(MediaStreamTrack):
    """`sound` at 16 kHz and silence behind it, else a tone of 440 Hz; silence where `loudness` is 0."""

    kind = "audio"

    def __init__(self, loudness: float = 0.5, sound: Pcm | None = None) -> None:
        super().__init__()
        self._loudness, self._at, self._began = loudness, 0, time.monotonic()
        self._sound = None if sound is None else np.repeat(sound, 3)

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._began + self._at / RATE - time.monotonic()))
        frame = AudioFrame.from_ndarray(self._samples()[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, fractions.Fraction(1, RATE)
        self._at += FRAME
        return frame

    def _samples(self) -> Pcm:
        if self._sound is not None:
            rest = self._sound[self._at : self._at + FRAME]
            return np.pad(rest, (0, FRAME - len(rest)))
        places = np.arange(self._at, self._at + FRAME)
        return (np.sin(2 * np.pi * 440 * places / RATE) * self._loudness * 32_767).astype(np.int16)


@contextlib.asynccontextmanager
async def client(loudness: float = 0.5, sound: Pcm | None = None) -> AsyncIterator[RTCPeerConnection]:
    """One that would like to send."""
    peer = RTCPeerConnection()
    peer.addTrack(Microphone(loudness, sound))
    try:
        yield peer
    finally:
        await peer.close()


async def offer_of(peer: RTCPeerConnection) -> str:
    await peer.setLocalDescription(await peer.createOffer())
    return str(peer.localDescription.sdp)


async def accept(peer: RTCPeerConnection, sdp: str) -> None:
    await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))


def an_offer() -> str:
    """An SDP as a browser's, of somebody who is not there."""

    async def made() -> str:
        async with client() as peer:
            return await offer_of(peer)

    return asyncio.run(made())
