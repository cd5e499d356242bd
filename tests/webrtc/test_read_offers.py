"""What a peer gets to see of an offer: no address that may not be contacted, and nothing without end."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_jobs.errors import JobError
from whisper_jobs.hearing import offers
from whisper_jobs.hearing.offers import BadOffer
from whisper_jobs.outbound import Guard

BARE = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111"]
HEAD = [*BARE, "a=fingerprint:sha-256 00:11"]
PUBLIC = "a=candidate:1 1 udp 2130706431 8.8.8.8 50000 typ host"
PRIVATE = "a=candidate:2 1 udp 2130706431 10.0.0.7 50000 typ host"
HIDDEN = "a=candidate:3 1 udp 2130706431 5f1c-33.local 50000 typ host"
admits = Guard().admits


def sdp(*lines: str) -> str:
    return "\r\n".join([*HEAD, *lines]) + "\r\n"


def test_a_public_candidate_stays() -> None:
    assert PUBLIC in offers.cleaned(sdp(PUBLIC), admits)


@pytest.mark.parametrize("line", [PRIVATE, HIDDEN, PUBLIC.replace("8.8.8.8", "127.0.0.1"), "a=end-of-candidates"])
def test_what_would_lead_inside_or_close_the_list_goes(line: str) -> None:
    cleaned = offers.cleaned(sdp(line, PUBLIC), admits)
    assert line not in cleaned and PUBLIC in cleaned


def test_no_more_candidates_are_taken_than_a_client_can_have() -> None:
    many = [PUBLIC.replace("50000", str(50_000 + port)) for port in range(200)]
    assert offers.cleaned(sdp(*many), admits).count("a=candidate") == offers.MOST_CANDIDATES


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "hello",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        sdp(*["m=audio 9 UDP/TLS/RTP/SAVPF 111"] * 4),
        sdp("a=x:" + "y" * 70_000),
        sdp("a=candidate:1 1 udp"),
        sdp("a=candidate:1 one udp 1 8.8.8.8 50000 typ host"),
        sdp(PUBLIC.replace("50000", "99999")),
        sdp(PUBLIC.replace("50000", "-5")),
        "\r\n".join([*BARE, PUBLIC]),
    ],
)
def test_an_offer_that_can_not_be_is_refused(bad: str) -> None:
    with pytest.raises(BadOffer):
        offers.cleaned(bad, admits)


@pytest.mark.parametrize("told", ["", "candidate:", "end-of-candidates"])
def test_the_end_of_the_candidates_names_none(told: str) -> None:
    assert offers.candidate(told) is None


def test_a_trickled_candidate_is_read_with_and_without_its_name() -> None:
    line = PUBLIC.removeprefix("a=")
    named = [offers.candidate(one) for one in (line, line.removeprefix("candidate:"))]
    assert [one and (one.ip, one.port) for one in named] == [("8.8.8.8", 50_000)] * 2


def test_ice_servers_are_asked_at_the_address_that_was_checked() -> None:
    def addresses(host: str, port: int) -> list[str]:
        if host == "inside.test":
            raise JobError("source_private_address")
        return ["2001:db8::1", "9.9.9.9"]

    servers: list[dict[str, Any]] = [
        {"urls": ["stun:stun.test", "stun:inside.test:3478", "turns:turn.test"]},
        {"urls": "turn:turn.test:443?transport=tcp", "username": "ann", "credential": "secret"},
    ]
    asked = [(one.urls, one.username, one.credential) for one in offers.pinned(servers, addresses)]
    assert asked == [("stun:9.9.9.9:3478", None, None), ("turn:9.9.9.9:443?transport=tcp", "ann", "secret")]
