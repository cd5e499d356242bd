"""What the live process tells of turns and words → the events of a transcription session, in the order that clients expect.

One item is one turn. Its words are told while somebody still speaks; deltas only add to each other, and `completed` has them all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from whisper_jobs.dialects.openai.realtime_session import Setup
from whisper_jobs.dialects.openai.responses import logarithm
from whisper_jobs.speech.running_text import RunningText

Json = dict[str, Any]
TRANSCRIPTION = "conversation.item.input_audio_transcription"
#: For whoever could not be told from the others.
NOBODY = "unknown"


def event(kind: str, **told: Any) -> Json:
    return {"type": kind, "event_id": new_id("event"), **told}


def new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(10)}"


@dataclass
class _Item:
    id: str = field(default_factory=lambda: new_id("item"))
    text: RunningText = field(default_factory=RunningText)
    logprobs: list[Json] = field(default_factory=list)
    is_committed: bool = False


class Conversation:
    """`is_before`: items are told as the version of the API before told them."""

    def __init__(self) -> None:
        self.setup, self.is_before = Setup(), False
        #: Seconds of sound that were committed: what is behind them can be committed next.
        self.committed = 0.0
        #: By the number of the turn; those before `_next` are told to the end.
        self._items: dict[int, _Item] = {}
        self._next = 0
        self._last_id: str | None = None

    def events(self, message: Json) -> Iterator[Json]:
        """For one message of the live process."""
        if message["type"] == "delta" and message["is_final"]:
            yield from self._words(message)
        elif message["type"] == "turn":
            yield from self._turn(message)

    def failures(self, error: Json) -> Iterator[Json]:
        """For the items whose words nobody will tell any more."""
        for item in self._items.values():
            if item.is_committed:
                yield event(f"{TRANSCRIPTION}.failed", item_id=item.id, content_index=0, error=error)
        self._items.clear()

    def _turn(self, turn: Json) -> Iterator[Json]:
        said, number = turn["said"], turn["number"]
        if said == "started":
            at = {"audio_start_ms": _ms(turn["start"]), "item_id": self._item(number).id}
            yield event("input_audio_buffer.speech_started", **at)
        elif said == "ended":
            at = {"audio_end_ms": _ms(turn["end"]), "item_id": self._item(number).id}
            yield event("input_audio_buffer.speech_stopped", **at)
            yield from self._committed(number, turn)
        elif said == "flushed":
            yield from self._committed(number, turn)
        elif said == "settled":
            yield self._completed(number, turn)
        elif said == "cleared":
            self._items.pop(number, None)
            self.committed = max(self.committed, turn["end"])
            yield event("input_audio_buffer.cleared")

    def _committed(self, number: int, turn: Json) -> Iterator[Json]:
        item, before = self._item(number), self._last_id
        item.is_committed, self._last_id = True, item.id
        self.committed = max(self.committed, turn["end"])
        yield event("input_audio_buffer.committed", previous_item_id=before, item_id=item.id)
        for kind in ("created",) if self.is_before else ("added", "done"):
            told = {"previous_item_id": before, "item": _told(item)}
            yield event(f"conversation.item.{kind}", **told)

    def _words(self, delta: Json) -> Iterator[Json]:
        item = self._item(self._next)
        new = item.text.add(delta["text"])
        if not new:
            return
        about: Json = {"item_id": item.id, "content_index": 0}
        if self.setup.logprobs:
            about["logprobs"] = _logprobs(new, delta["confidence"])
            item.logprobs += about["logprobs"]
        yield event(f"{TRANSCRIPTION}.delta", delta=new, **about)
        if self.setup.diarizes:
            yield self._segment(item, delta)

    def _segment(self, item: _Item, delta: Json) -> Json:
        times = {"start": delta["start"], "end": delta["end"]}
        who = {"speaker": delta.get("speaker_label") or NOBODY, "text": delta["text"].strip()}
        return event(f"{TRANSCRIPTION}.segment", item_id=item.id, content_index=0, id=new_id("seg"), **who, **times)

    def _completed(self, number: int, turn: Json) -> Json:
        item = self._item(number)
        self._items.pop(number)
        self._next = number + 1
        told: Json = {"item_id": item.id, "content_index": 0, "transcript": item.text.text}
        told["logprobs"] = item.logprobs if self.setup.logprobs else None
        usage = {"type": "duration", "seconds": round(max(0.0, turn["end"] - turn["start"]), 3)}
        return event(f"{TRANSCRIPTION}.completed", **told, usage=usage)

    def _item(self, number: int) -> _Item:
        return self._items.setdefault(number, _Item())


def _told(item: _Item) -> Json:
    """Its transcript comes later."""
    content = [{"type": "input_audio", "transcript": None}]
    return {
        "id": item.id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": content,
    }


def _logprobs(token: str, confidence: float) -> list[Json]:
    """One for all words of a delta; 0 is what an engine says that tells none."""
    return [{"token": token, "bytes": list(token.encode()), "logprob": logarithm(confidence)}] if confidence else []


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
