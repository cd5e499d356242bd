"""Peers of the live process and real clients: sound arrives, a hostile offer harms nobody, who is gone is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.webrtc.clients import accept, client, offer_of
from whisper_jobs.hearing import rtc
from whisper_jobs.hearing.rtc import BadOffer, Peers
from whisper_jobs.outbound import Guard
from whisper_jobs.speech.windows import Pcm


@dataclass
class Listener:
    """What a session is to a peer."""

    pieces: list[Pcm] = field(default_factory=list)
    is_over: bool = False

    @property
    def seconds(self) -> float:
        return sum(map(len, self.pieces)) / 16_000

    async def answered(self, peers: Peers, sdp: str, session_id: str = "a") -> str:
        return await peers.answer(session_id, self.pieces.append, lambda: self.is_over, sdp, [])


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happens():
            await asyncio.sleep(0.05)


def test_a_clients_sound_arrives_although_its_address_is_not_one_to_contact() -> None:
    async def scene() -> None:
        listener, peers = Listener(), Peers(Guard(), lambda session_id: None)
        async with client() as browser:
            await accept(browser, await listener.answered(peers, await offer_of(browser)))
            await until(lambda: listener.seconds > 1)
            await peers.close("a")
        heard = np.concatenate(listener.pieces).astype(float)
        spectrum = np.abs(np.fft.rfft(heard))
        assert abs(float(spectrum.argmax()) * 16_000 / len(heard) - 440) < 5

    asyncio.run(scene())


def test_a_second_offer_takes_the_place_of_the_first() -> None:
    async def scene() -> None:
        lost: list[str] = []
        first, second, peers = Listener(), Listener(), Peers(Guard(), lost.append)
        async with client() as before, client() as after:
            await accept(before, await first.answered(peers, await offer_of(before)))
            await until(lambda: first.seconds > 0.3)
            await accept(after, await second.answered(peers, await offer_of(after)))
            await until(lambda: second.seconds > 0.3)
            until_now = first.seconds
            await asyncio.sleep(0.5)
            assert first.seconds == until_now
            assert lost == []
            await peers.close_all()

    asyncio.run(scene())


def test_a_client_that_hangs_up_is_told_of_once() -> None:
    async def scene() -> None:
        lost: list[str] = []
        listener, peers = Listener(), Peers(Guard(), lost.append)
        async with client() as browser:
            await accept(browser, await listener.answered(peers, await offer_of(browser)))
            await until(lambda: listener.seconds > 0.3)
        await until(lambda: bool(lost))
        assert lost == ["a"] and "a" not in peers

    asyncio.run(scene())


def test_a_client_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        lost: list[str] = []
        listener, peers = Listener(), Peers(Guard(), lost.append)
        async with client() as browser:
            await listener.answered(peers, await offer_of(browser))
        await until(lambda: bool(lost))

    monkeypatch.setattr(rtc, "CONNECT_SECONDS", 0.2)
    asyncio.run(scene())


def test_a_peer_goes_when_its_session_is_over() -> None:
    async def scene() -> None:
        lost: list[str] = []
        listener, peers = Listener(), Peers(Guard(), lost.append)
        async with client() as browser:
            await accept(browser, await listener.answered(peers, await offer_of(browser)))
            await until(lambda: listener.seconds > 0.3)
            listener.is_over = True
            await until(lambda: "a" not in peers)

    asyncio.run(scene())


def test_a_picture_is_not_taken() -> None:
    async def scene() -> str:
        listener, peers = Listener(), Peers(Guard(), lambda session_id: None)
        async with client() as browser:
            browser.addTransceiver("video", direction="sendonly")
            answer = await listener.answered(peers, await offer_of(browser))
            await peers.close("a")
        return answer

    _head, audio, video = asyncio.run(scene()).split("m=")
    assert "a=recvonly" in audio and "a=inactive" in video


def test_a_hostile_offer_is_refused_and_leaves_nothing() -> None:
    async def scene() -> None:
        listener, peers = Listener(), Peers(Guard(), lambda session_id: None)
        async with client() as browser:
            good = await offer_of(browser)
        lines = good.splitlines()
        for bad in (
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
            good.replace("a=ice-pwd:", "a=nothing:"),
            good.replace("a=setup:", "a=nothing:"),
            good.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256"),
            good.replace("a=sendrecv", "a=recvonly"),
            good.replace("opus", "nothing").replace("PCM", "nothing").replace("G722", "nothing"),
            good.replace("m=audio", "m=audio\r\nm=audio"),
            *("\r\n".join(lines[:end]) for end in range(5, len(lines), 4)),
        ):
            with pytest.raises(BadOffer):
                await listener.answered(peers, bad)
        assert "a" not in peers

    asyncio.run(scene())


def test_a_candidate_that_is_none_is_refused_and_one_too_many_is_passed_over() -> None:
    async def scene() -> None:
        listener, peers = Listener(), Peers(Guard(), lambda session_id: None)
        await peers.add_candidate("a", "anything")
        async with client() as browser:
            await listener.answered(peers, await offer_of(browser))
            for bad in ("anything", "candidate:1 1 udp x 8.8.8.8 5 typ host"):
                with pytest.raises(BadOffer):
                    await peers.add_candidate("a", bad, "0", 0)
            for port in range(50_000, 50_100):
                await peers.add_candidate("a", f"candidate:1 1 udp 1 8.8.8.8 {port} typ host", "0", 0)
            await peers.add_candidate("a", "")
            connection = peers._peers["a"]._connection
            known = connection.getReceivers()[0].transport.transport.getRemoteCandidates()
            assert 0 < len(known) <= 30
            await peers.close("a")

    asyncio.run(scene())
