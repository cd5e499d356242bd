"""What a client's WebRTC offer may say: its SDP cut down to what a peer is to see, its candidates, its ICE servers. Pure.

The server sends nothing to an address that a client merely names, unless the guard admits it. Such a client connects all the
same: its packets come first, and what answers them goes back to where they came from (RFC 8445 §7.3.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.sdp import candidate_from_sdp

from whisper_jobs.errors import JobError

MOST_SDP_BYTES = 64 * 1024
#: Each section may cost a socket and a handshake.
MOST_SECTIONS = 4
MOST_CANDIDATES = 30
_CANDIDATE = "a=candidate:"
_SERVER = re.compile(
    r"(?P<scheme>stun|turn):(?P<host>[^?:\[\]]+)(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)

Admits = Callable[[str], bool]
#: Host and port → the addresses that may be connected to, as literals; raises JobError for a host with none.
Addresses = Callable[[str, int], list[str]]


class BadOffer(Exception):
    """The offer can't be answered; the message says why."""


def cleaned(sdp: str, admits: Admits) -> str:
    """The offer without candidates that may not be contacted, and open for further ones. Raises BadOffer."""
    if len(sdp.encode(errors="replace")) > MOST_SDP_BYTES:
        raise BadOffer("The SDP is larger than 64 kB.")
    lines = sdp.splitlines()
    sections = [line for line in lines if line.startswith("m=")]
    if not any(line.startswith("m=audio ") for line in sections):
        raise BadOffer("The SDP offers no audio.")
    if not any(line.startswith("a=fingerprint:") for line in lines):
        # Without one a peer that is not who it says could not be told from one that is.
        raise BadOffer("The SDP could not be understood.")
    if len(sections) > MOST_SECTIONS:
        raise BadOffer(f"The SDP has more than {MOST_SECTIONS} media sections.")
    left = iter(range(MOST_CANDIDATES))
    kept = [line for line in lines if line != "a=end-of-candidates" and _is_wanted(line, admits, left)]
    return "\r\n".join(kept) + "\r\n"


def _is_wanted(line: str, admits: Admits, left: Any) -> bool:
    if not line.startswith(_CANDIDATE):
        return True
    named = candidate(line.removeprefix("a="))
    return named is not None and admits(named.ip) and next(left, None) is not None


def candidate(text: str) -> RTCIceCandidate | None:
    """What `text` names; None for one that only says that there are no more. Raises BadOffer."""
    told = text.strip().removeprefix("candidate:")
    if not told or told == "end-of-candidates":
        return None
    try:
        named = candidate_from_sdp(told)
    except (AssertionError, ValueError) as error:
        raise BadOffer("This is no ICE candidate.") from error
    if not 0 < named.port < 65536:
        raise BadOffer("This is no ICE candidate.")
    return named


def pinned(servers: list[dict[str, Any]], addresses: Addresses) -> list[RTCIceServer]:
    """The servers that this one may ask, with the checked address in place of each name. Looks names up.

    One over TLS is the client's alone: its certificate is for the name. So is one that can't be found or may not be asked.
    """
    return [
        RTCIceServer(url, username=server.get("username"), credential=server.get("credential"))
        for server in servers
        for url in _literal(server["urls"], addresses)
    ]


def _literal(urls: str | list[str], addresses: Addresses) -> list[str]:
    found = []
    for url in [urls] if isinstance(urls, str) else urls:
        told = _SERVER.fullmatch(url)
        if told is None:
            continue
        port, transport = int(told["port"] or 3478), told["transport"]
        try:
            # aioice asks over IPv4 alone.
            near = next((one for one in addresses(told["host"], port) if ":" not in one), None)
        except JobError:
            continue
        if near is not None:
            found.append(f"{told['scheme']}:{near}:{port}" + (f"?transport={transport}" if transport else ""))
    return found
