"""What the live process tells → events, in the order in which clients expect them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from openai._models import construct_type
from openai.types.realtime import RealtimeServerEvent

from whisper_jobs.dialects.openai.realtime_items import TRANSCRIPTION, Conversation

Json = dict[str, Any]


def turn(said: str, number: int, start: float = 0.0, end: float = 1.0) -> Json:
    return {"type": "turn", "said": said, "number": number, "start": start, "end": end}


def delta(text: str, *, is_final: bool = True, **more: Any) -> Json:
    return {"type": "delta", "text": text, "is_final": is_final, "start": 0.0, "end": 1.0, "confidence": 0.5, **more}


def told(one: Conversation, *messages: Json) -> list[Json]:
    return [event for message in messages for event in one.events(message)]


def short(events: list[Json]) -> list[str]:
    ends = ("input_audio_buffer.", f"{TRANSCRIPTION}.", "conversation.")
    kinds = [event["type"] for event in events]
    for start in ends:
        kinds = [kind.removeprefix(start) for kind in kinds]
    return kinds


def test_a_turn_is_an_item_from_its_first_word_to_its_transcript() -> None:
    one = Conversation()
    events = told(
        one,
        turn("started", 0, 0.5),
        delta("hello"),
        delta("wor", is_final=False),
        turn("ended", 0, 0.5, 2.75),
        delta("world."),
        turn("settled", 0, 0.5, 2.75),
    )
    assert short(events) == [
        "speech_started",
        "delta",
        "speech_stopped",
        "committed",
        "item.added",
        "item.done",
        "delta",
        "completed",
    ]
    assert (events[0]["audio_start_ms"], events[2]["audio_end_ms"]) == (500, 2750)
    ids = {event.get("item_id") or event["item"]["id"] for event in events}
    assert len(ids) == 1
    completed = events[-1]
    assert completed["transcript"] == "hello world." == events[1]["delta"] + events[6]["delta"]
    assert completed["usage"] == {"type": "duration", "seconds": 2.25}
    assert len({event["event_id"] for event in events}) == len(events)


def test_every_event_is_one_that_the_official_client_knows() -> None:
    one = Conversation()
    one.setup = replace(one.setup, model="gpt-4o-transcribe-diarize", logprobs=True)
    messages = [turn("started", 0), delta("hi", speaker_label="Anna"), turn("ended", 0), turn("settled", 0)]
    for event in told(one, *messages, turn("cleared", 1)):
        read = construct_type(type_=RealtimeServerEvent, value=event)
        assert type(read).__name__ != "dict"
        type(read).model_validate(event)  # type: ignore[attr-defined]


def test_words_belong_to_the_turn_that_has_not_settled() -> None:
    one = Conversation()
    events = told(
        one,
        turn("ended", 0),
        turn("started", 1),
        delta("first"),
        turn("settled", 0),
        delta("second"),
        turn("ended", 1),
        turn("settled", 1),
    )
    transcripts = [event["transcript"] for event in events if event["type"].endswith("completed")]
    assert transcripts == ["first", "second"]
    first, second = [event for event in events if event["type"].endswith("committed")]
    assert (first["previous_item_id"], second["previous_item_id"]) == (None, first["item_id"])


def test_languages_without_spaces_get_none() -> None:
    one = Conversation()
    events = told(one, delta("你好"), delta("世界"), turn("flushed", 0), turn("settled", 0))
    assert events[-1]["transcript"] == "你好世界"


def test_a_commit_says_nothing_of_speech() -> None:
    events = told(Conversation(), turn("flushed", 0), turn("settled", 0))
    assert short(events) == ["committed", "item.added", "item.done", "completed"]
    assert events[-1]["transcript"] == ""


def test_the_version_before_has_created_items() -> None:
    one = Conversation()
    one.is_before = True
    assert short(told(one, turn("flushed", 0))) == ["committed", "item.created"]


def test_what_is_cleared_is_another_item() -> None:
    one = Conversation()
    first = told(one, turn("started", 0), delta("no"))
    cleared = told(one, turn("cleared", 0, 0.0, 3.0))
    second = told(one, turn("started", 0), delta("yes"), turn("ended", 0), turn("settled", 0))
    assert short(cleared) == ["cleared"]
    assert one.committed == 3.0
    assert first[0]["item_id"] != second[0]["item_id"]
    assert second[-1]["transcript"] == "yes"


def test_what_was_committed_is_not_committed_less_by_a_turn_that_ended_before() -> None:
    one = Conversation()
    one.committed = 5.0
    told(one, turn("ended", 0, 0.0, 2.0))
    assert one.committed == 5.0


def test_only_committed_items_fail() -> None:
    one = Conversation()
    told(one, turn("ended", 0), turn("started", 1))
    (failed,) = one.failures({"message": "gone"})
    assert (failed["type"], failed["error"]) == (f"{TRANSCRIPTION}.failed", {"message": "gone"})
    assert not list(one.failures({}))


def test_logprobs_are_told_where_they_are_asked_for() -> None:
    one = Conversation()
    one.setup = replace(one.setup, logprobs=True)
    events = told(one, delta("one"), delta("two", confidence=0.0), turn("flushed", 0), turn("settled", 0))
    assert events[0]["logprobs"][0]["logprob"] == pytest.approx(-0.6931)
    assert events[1]["logprobs"] == []
    assert events[-1]["logprobs"] == events[0]["logprobs"]
    assert "logprobs" not in told(Conversation(), delta("one"))[0]


def test_who_speaks_is_told_with_each_utterance_where_that_is_asked_for() -> None:
    one = Conversation()
    one.setup = replace(one.setup, model="gpt-4o-transcribe-diarize")
    events = told(one, delta("Good morning.", speaker_label="Anna"), delta("Hm."))
    segments = [event for event in events if event["type"].endswith("segment")]
    assert [(one["speaker"], one["text"]) for one in segments] == [("Anna", "Good morning."), ("unknown", "Hm.")]
