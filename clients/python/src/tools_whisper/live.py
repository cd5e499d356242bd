"""Words while somebody speaks, over the server's speech API. The token's owner needs scaiecho:transcribe."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tools_whisper.errors import ToolsWhisperError, Unreachable
from tools_whisper.tape import Tape
from tools_whisper.transport import Place

PATH = "/v1/modules/scaiecho/stream/transcribe"
FRAME_BYTES = 32_000
OPEN_SECONDS, CLOSE_SECONDS = 15.0, 2.0
#: Close codes after which coming back is of no use.
FOR_GOOD = {
    4400: "The server did not understand this.",
    4401: "The token is not known.",
    4403: "This account may not transcribe live.",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """What is sent: bytes as they come, and what they are."""

    pieces: Iterable[bytes]
    media_type: str = "audio/pcm"
    sample_rate: int = 16_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """`chunk_seconds`: how much new sound is read at once, from 0.5 to 60."""

    language: str = ""
    chunk_seconds: float = 2.0
    diarize: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """Final words never change; others take the place of those before that were not final."""

    text: str
    is_final: bool
    start: float
    end: float
    speaker: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """`job_id` is of the recording, None where nothing was heard."""

    job_id: int | None
    reason: str | None


class Refused(ToolsWhisperError):
    """The server does not take, or not go on with, this session; `code` is its word for that."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def listen(place: Place, sound: Sound, wishes: Wishes | None = None) -> Iterator[Delta | Closed]:
    """Ends with Closed. A connection that is lost is made again, and what the server has missed is sent once more."""
    session = _Session(place, sound, wishes or Wishes())
    threading.Thread(target=session.record, daemon=True).start()
    try:
        yield from _to_the_end(session)
    finally:
        session.close()


def _to_the_end(session: _Session) -> Iterator[Delta | Closed]:
    lost_at: float | None = None
    while True:
        try:
            for event in session.connected():
                lost_at = None
                yield event
                if isinstance(event, Closed):
                    session.raise_if_broken()
                    return
        except (OSError, WebSocketException) as error:
            lost_at = lost_at or time.monotonic()
            if not session.may_come_back(time.monotonic() - lost_at):
                raise Unreachable(f"The connection was lost: {error}") from error
            time.sleep(0.5)


class _Session:
    """One session over as many connections as it takes."""

    def __init__(self, place: Place, sound: Sound, wishes: Wishes) -> None:
        self._place, self._sound, self._wishes = place, sound, wishes
        self._tape = Tape()
        self._id = ""
        self._resume_seconds = 0.0
        #: Where the last final words end that have come.
        self._after = 0.0
        self._broken: Exception | None = None

    def record(self) -> None:
        """What was recorded before the source broke is transcribed all the same."""
        try:
            for piece in self._sound.pieces:
                self._tape.write(piece)
        except Exception as error:
            self._broken = error
        finally:
            self._tape.finish()

    def close(self) -> None:
        self._tape.close()

    def raise_if_broken(self) -> None:
        if self._broken is not None:
            raise ToolsWhisperError(f"The sound broke off: {self._broken}") from self._broken

    def may_come_back(self, away_seconds: float) -> bool:
        return bool(self._id) and away_seconds < self._resume_seconds

    def connected(self) -> Iterator[Delta | Closed]:
        address = self._place.socket_root + PATH
        with connect(
            address,
            additional_headers=self._place.authorization,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
        ) as socket:
            gone = threading.Event()
            try:
                socket.send(json.dumps(self._opening()))
                for message in socket:
                    yield from self._told(json.loads(message), socket, gone)
            except ConnectionClosed as closed:
                self._refuse(closed)
                raise
            finally:
                gone.set()
            raise ConnectionError("the server hung up")

    def _opening(self) -> dict[str, Any]:
        if self._id:
            return {"type": "open", "resume": self._id, "after": self._after}
        told = {"media_type": self._sound.media_type, "sample_rate": self._sound.sample_rate}
        language = {"language_hint": self._wishes.language} if self._wishes.language else {}
        wishes = {"chunk_seconds": self._wishes.chunk_seconds, "diarize": self._wishes.diarize}
        return {"type": "open", **told, **wishes, **language}

    def _told(self, told: dict[str, Any], socket: ClientConnection, gone: threading.Event) -> Iterator[Delta | Closed]:
        match told["type"]:
            case "ready":
                self._id, self._resume_seconds = told["session_id"], told.get("resume_seconds") or 0.0
                sending = (socket, told.get("audio_bytes", 0), gone)
                threading.Thread(target=self._send, args=sending, daemon=True).start()
            case "delta":
                delta = Delta(told["text"], told["is_final"], told["start"], told["end"], told.get("speaker_label"))
                self._after = delta.end if delta.is_final else self._after
                yield delta
            case "closed":
                job_id = told.get("job_id")
                yield Closed(None if job_id is None else int(job_id), told.get("reason"))
            case "error":
                raise Refused(told.get("message") or "The server refused this.", told.get("code") or "")

    def _send(self, socket: ClientConnection, offset: int, gone: threading.Event) -> None:
        try:
            while not gone.is_set():
                piece = self._tape.read(offset, FRAME_BYTES, 0.5)
                if piece is None:
                    socket.send(json.dumps({"type": "close"}))
                    return
                if piece:
                    socket.send(piece)
                    offset += len(piece)
        except (OSError, WebSocketException):
            # Whoever receives on this connection finds out as well, and comes back.
            return

    def _refuse(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else 0
        if code in FOR_GOOD:
            raise Refused(closed.rcvd.reason if closed.rcvd and closed.rcvd.reason else FOR_GOOD[code]) from closed
