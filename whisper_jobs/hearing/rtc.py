"""Sound over WebRTC, in the live process: one peer connection to a session, whose frames become the session's samples.

The server calls `answer`, `add_candidate` and `close`, and is told when a peer is gone by itself. The loop never waits for
a decoder: aiortc has a thread for that, and samples are converted in another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from whisper_jobs.hearing import offers
from whisper_jobs.hearing.offers import BadOffer as BadOffer
from whisper_jobs.media.resampling import SAMPLE_RATE, Converter, Timeline
from whisper_jobs.outbound import Guard
from whisper_jobs.speech.windows import Pcm

log = logging.getLogger(__name__)
#: For an answer, a STUN server that is slow included.
ANSWER_SECONDS = 10.0
#: From the answer to the first sound.
CONNECT_SECONDS = 20.0
#: A microphone that is open sends some fifty packets a second, also while nobody speaks.
SILENT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
BATCH_SECONDS = 0.1
#: How much more sound than time may come, for a clock that runs fast and packets that were held up.
AHEAD_SECONDS = 5.0

Feed = Callable[[Pcm], Any]
IsOver = Callable[[], bool]
_threads = ThreadPoolExecutor(2, thread_name_prefix="webrtc")


class Sound:
    """Frames → samples. Lost packets become silence, but never is there more sound than time has passed, whatever clock
    a client writes into its packets and however fast it sends them."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began: float | None = None
        self._seconds = 0.0
        self._timeline, self._converter = Timeline(None, None), Converter()

    def samples_of(self, frames: Sequence[AudioFrame]) -> Pcm:
        return np.frombuffer(b"".join(part for frame in frames for part in self._parts(frame)), np.int16)

    def _parts(self, frame: AudioFrame) -> list[bytes]:
        if self._began is None:
            self._began = self._now()
        length, gap = frame.samples / frame.sample_rate, self._timeline.gap_before(frame)
        room = self._now() - self._began + AHEAD_SECONDS - self._seconds - length
        if room < 0:
            return []
        silence = min(gap, room)
        self._seconds += length + silence
        return [bytes(2 * round(SAMPLE_RATE * silence)), *self._converter.convert(frame)]


class Peer:
    """One connection. `on_lost` is called once, when it is gone without having been closed here, or nobody listens any more."""

    def __init__(
        self, feed: Feed, is_over: IsOver, on_lost: Callable[[Peer], Any], servers: list[RTCIceServer], guard: Guard
    ) -> None:
        self._feed, self._is_over, self._on_lost, self._guard = feed, is_over, on_lost, guard
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._connection.on("track", self._take)
        self._track: MediaStreamTrack | None = None
        self._listening: asyncio.Task[None] | None = None
        self._candidates_left = offers.MOST_CANDIDATES

    async def answer(self, sdp: str) -> str:
        """Raises BadOffer. What a library makes of a hostile SDP may be any exception."""
        offer = offers.cleaned(sdp, self._guard.admits)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            self._refuse_all_but_the_track()
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except Exception as error:
            raise BadOffer("The SDP could not be understood.") from error
        if self._track is None:
            raise BadOffer("The SDP offers no audio that is sent.")
        return str(self._connection.localDescription.sdp)

    async def add_candidate(self, text: str, mid: str | None, index: int | None) -> None:
        """One that may not be contacted is passed over, as is one too many. Raises BadOffer."""
        named = offers.candidate(text)
        self._candidates_left -= 1
        if named is None or self._candidates_left < 0 or not self._guard.admits(named.ip):
            return
        named.sdpMid, named.sdpMLineIndex = mid, index
        try:
            await self._connection.addIceCandidate(named)
        except ValueError as error:
            raise BadOffer("A candidate needs sdp_mid or sdp_mline_index.") from error

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        await self._hang_up()

    async def _hang_up(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.close()

    def _take(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._track is None:
            self._track = track
            self._listening = asyncio.create_task(self._listen(track))

    def _refuse_all_but_the_track(self) -> None:
        """A picture would be decoded for nobody."""
        for one in self._connection.getTransceivers():
            if one.receiver.track is not self._track:
                one.direction = "inactive"

    async def _listen(self, track: MediaStreamTrack) -> None:
        loop, sound = asyncio.get_running_loop(), Sound()
        try:
            async for frames in _batches(track):
                if self._is_over():
                    break
                self._feed(await loop.run_in_executor(_threads, sound.samples_of, frames))
        except Exception:
            log.exception("a WebRTC session's sound can't be taken")
        self._on_lost(self)
        await self._hang_up()


async def _batches(track: MediaStreamTrack) -> AsyncIterator[list[AudioFrame]]:
    """Frames as they come, a tenth of a second together; ends with the track, or when nothing comes any more."""
    frames: list[AudioFrame] = []
    seconds, patience = 0.0, CONNECT_SECONDS
    with contextlib.suppress(MediaStreamError, TimeoutError):
        while True:
            frame = await asyncio.wait_for(track.recv(), patience)
            assert isinstance(frame, AudioFrame)
            patience = SILENT_SECONDS
            frames.append(frame)
            seconds += frame.samples / frame.sample_rate
            if seconds >= BATCH_SECONDS:
                yield frames
                frames, seconds = [], 0.0
    if frames:
        yield frames


async def _answered(peer: Peer, sdp: str) -> tuple[Peer, str]:
    """One that can't answer leaves nothing behind. Raises BadOffer."""
    try:
        return peer, await peer.answer(sdp)
    except BaseException:
        await peer.close()
        raise


class Peers:
    """The peers of a live process, at most one to a session. `on_lost(session_id)` is told of one that is gone by itself."""

    def __init__(self, guard: Guard, on_lost: Callable[[str], Any]) -> None:
        self._guard, self._on_lost = guard, on_lost
        self._peers: dict[str, Peer] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._peers

    async def answer(
        self, session_id: str, feed: Feed, is_over: IsOver, sdp: str, ice_servers: list[dict[str, Any]]
    ) -> str:
        """The answer to an offer. A peer that the session had before is closed. Raises BadOffer."""
        on_lost = partial(self._lost, session_id)
        async with self._locks[session_id]:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    servers = await asyncio.to_thread(offers.pinned, ice_servers, self._guard.checked_addresses)
                    peer, told = await _answered(Peer(feed, is_over, on_lost, servers, self._guard), sdp)
            except TimeoutError as error:
                raise BadOffer("The offer could not be answered in time.") from error
            before, self._peers[session_id] = self._peers.get(session_id), peer
        if before is not None:
            await before.close()
        return told

    async def add_candidate(self, session_id: str, text: str, mid: str | None = None, index: int | None = None) -> None:
        """Nothing for a session without a peer. Raises BadOffer."""
        peer = self._peers.get(session_id)
        if peer is not None:
            await peer.add_candidate(text, mid, index)

    async def close(self, session_id: str) -> None:
        """Safe for a session that has no peer, and for one whose offer is just being answered."""
        async with self._locks[session_id]:
            peer = self._peers.pop(session_id, None)
        self._locks.pop(session_id, None)
        if peer is not None:
            await peer.close()

    async def close_all(self) -> None:
        await asyncio.gather(*(self.close(session_id) for session_id in list(self._peers)))

    def _lost(self, session_id: str, peer: Peer) -> None:
        if self._peers.get(session_id) is peer:
            del self._peers[session_id]
            self._on_lost(session_id)
