"""A stream tells words in the order of the recording, once each, and its end has them all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import User
from tests.core.play import Stage
from tests.openai.conftest import refusal
from tests.openai.test_shapes import asked, spoken_by, told
from whisper_jobs import lifecycle, trash
from whisper_jobs.dialects.openai.streams import Following
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment
from whisper_jobs.pen import Gone
from whisper_jobs.speech.running_text import RunningText

DELTA, SEGMENT, DONE = (f"transcript.text.{name}" for name in ("delta", "segment", "done"))


def events(following: Following) -> list[dict[str, Any]]:
    lines = following.told().split("\n\n")
    assert lines.pop() == ""
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def follow(job: Job, response_format: str = "json", **more: Any) -> Following:
    return Following(job.pk, asked(job, response_format, **more))


def deltas(told: list[dict[str, Any]]) -> list[str]:
    return [one["delta"] for one in told if one["type"] == DELTA]


def test_words_are_told_when_their_window_is_done(stage: Stage, gina: User) -> None:
    job = stage.decoded(gina, windows=2)
    following = follow(job)
    assert events(following) == []
    stage.hear(stage.run("speech"))
    assert events(following) == [{"type": DELTA, "delta": "window0"}]
    assert events(following) == []
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"))
    delta, done = events(following)
    assert delta == {"type": DELTA, "delta": " window1"}
    assert done == {"type": DONE, "text": "window0 window1", "usage": {"type": "duration", "seconds": 20}}
    assert following.is_over


def test_a_window_waits_for_those_before_it(stage: Stage, gina: User) -> None:
    job = stage.decoded(gina, windows=3)
    following = follow(job)
    stage.hear(stage.run("speech"))
    second = stage.run("speech")
    [third] = lifecycle.claim_companions(second, 1)
    stage.hear(third)
    assert deltas(events(following)) == ["window0"]
    stage.hear(second)
    assert deltas(events(following)) == [" window1", " window2"]


def test_words_are_told_before_the_recording_is_read_to_its_end(stage: Stage, gina: User) -> None:
    job = stage.fetched(gina)
    following, decoding = follow(job), stage.run("fetch")
    lifecycle.add_windows(decoding, [lifecycle.NewWindow(0.0, 10.0, ((0.0, 9.0),), "a")])
    stage.hear(stage.run("speech"))
    assert deltas(events(following)) == ["window0"]
    lifecycle.add_windows(decoding, [lifecycle.NewWindow(10.0, 20.0, ((10.0, 19.0),), "b")])
    assert events(following) == []
    stage.hear(stage.run("speech"))
    assert deltas(events(following)) == [" window1"]


def test_the_end_is_all_that_was_told(stage: Stage, gina: User) -> None:
    following = follow(stage.completed(gina, windows=4))
    told = events(following)
    assert "".join(deltas(told)) == told[-1]["text"] == "window0 window1 window2 window3"


def test_speakers_come_at_the_end_when_they_are_known(stage: Stage, gina: User) -> None:
    job = spoken_by(stage, gina, "SPEAKER_00", "SPEAKER_01")
    told_by_stream = events(follow(job, "diarized_json"))
    assert [one["type"] for one in told_by_stream] == [DELTA, DELTA, SEGMENT, SEGMENT, DONE]
    assert told_by_stream[2:4] == told(job, "diarized_json")["segments"]


def test_certainty_comes_with_the_words_and_once_more_at_the_end(stage: Stage, gina: User) -> None:
    job = stage.completed(gina)
    first, second, done = events(follow(job, logprobs=True))
    assert first["logprobs"] + second["logprobs"] == done["logprobs"] == told(job, logprobs=True)["logprobs"]


def test_silence_has_an_end_without_words(stage: Stage, gina: User) -> None:
    job = stage.fetched(gina)
    lifecycle.finish_decode(stage.run("fetch"), duration_seconds=3.0, speech_seconds=0.0)
    assert events(follow(job)) == [{"type": DONE, "text": "", "usage": {"type": "duration", "seconds": 3}}]


def test_a_failure_ends_the_stream_after_what_was_heard(stage: Stage, gina: User) -> None:
    job = stage.decoded(gina, windows=2)
    stage.hear(stage.run("speech"))
    lifecycle.fail(stage.run("speech"), JobError("out_of_memory"))
    following = follow(job)
    delta, error = events(following)
    assert delta["delta"] == "window0"
    assert (error["error"]["type"], error["error"]["code"]) == ("server_error", "out_of_memory")
    assert following.is_over


def test_a_recording_that_is_thrown_away_meanwhile_is_gone(stage: Stage, gina: User) -> None:
    job = stage.completed(gina)
    trash.discard(job.pk)
    with pytest.raises(Gone):
        follow(job).told()


def test_a_segment_without_words_is_no_delta(stage: Stage, gina: User) -> None:
    job = stage.completed(gina)
    Segment.objects.filter(job=job, text="window0").update(text="  ")
    assert deltas(events(follow(job))) == ["window1"]


def test_what_is_refused_is_no_stream(calls: Any, gina: User) -> None:
    answer = calls(gina).post("/v1/audio/transcriptions", {"stream": "true", "model": "tiny"})
    assert refusal(answer) == (400, "missing_required_parameter", "file")


def test_a_stream_is_not_kept_by_proxies(hands_in: Any, gina: User) -> None:
    answer = hands_in(gina, stream="true")
    assert answer["Content-Type"] == "text/event-stream"
    assert ("no-cache" in answer["Cache-Control"], answer["X-Accel-Buffering"]) == (True, "no")


def test_pieces_of_a_growing_text_make_the_text() -> None:
    text = RunningText()
    pieces = [text.add(one) for one in (" Hello ", "", "world.\n", "你好", "世界", "ok")]
    assert pieces == ["Hello", "", " world.", " 你好", "世界", " ok"]
    assert "".join(pieces) == text.text
