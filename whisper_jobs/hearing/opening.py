"""What a session is opened with: what its row has, and what the line asks for besides, which doesn't outlive the session."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from whisper_jobs.hearing.wire import Json
from whisper_jobs.speech.streaming.utterances import RULES, rules_of_pauses
from whisper_jobs.speech.windows import Rules


@dataclass(frozen=True, slots=True)
class Hints:
    """As `engines.base.Options` has them."""

    prompt: str = ""
    hotwords: tuple[str, ...] = ()


NO_HINTS = Hints()


@dataclass(frozen=True, slots=True)
class Asked:
    """`tells_turns`: the listener is told where turns begin and end, and what ends one: pauses, or only that it says so."""

    hints: Hints = NO_HINTS
    tells_turns: bool = False
    by_pauses: bool = False
    cutting: Rules = RULES


ASKED_NOTHING = Asked()


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody asked for, of the session's row."""

    session_id: UUID
    owner_id: int
    media_type: str
    sample_rate: int
    chunk_seconds: float
    language: str
    diarize: bool
    #: WebRTC hands over samples; all others bytes of the media type.
    is_packed: bool
    #: For WebRTC, as RTCPeerConnection takes them.
    ice_servers: list[Json] = field(default_factory=list)
    asked: Asked = ASKED_NOTHING


def hints_of(message: Json) -> Hints:
    return Hints(str(message.get("prompt", "")), tuple(map(str, message.get("hotwords", ()))))


def asked_of(message: Json) -> Asked:
    """`turns` is missing where nobody wants them, empty where nothing but the listener ends one."""
    turns = message.get("turns")
    if not turns:
        return Asked(hints_of(message), tells_turns=turns is not None)
    cutting = rules_of_pauses(threshold=turns["threshold"], padding=turns["padding"], silence=turns["silence"])
    return Asked(hints_of(message), tells_turns=True, by_pauses=True, cutting=cutting)
