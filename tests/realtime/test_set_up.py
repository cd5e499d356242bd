"""What a session is set to, in the shapes of both versions, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.beta.realtime.transcription_session import TranscriptionSession
from openai.types.realtime import RealtimeTranscriptionSessionCreateResponse

from whisper_jobs.dialects.openai import errors, realtime_session
from whisper_jobs.dialects.openai.realtime_session import ALAW, LOGPROBS, PCM, ULAW, Setup, Vad, updated, updated_before
from whisper_jobs.dialects.refusals import Refused

Json = dict[str, Any]


def heard(**told: Any) -> Json:
    return {"type": "transcription", "audio": {"input": told}}


def refused(read: Any, told: Any) -> tuple[str, str]:
    """The code and the parameter that a client is told."""
    with pytest.raises(Refused) as caught:
        read(Setup(), told)
    error = errors.word(caught.value.refusal)[1]["error"]
    assert error["message"]
    return error["code"], error["param"]


def test_only_what_is_there_is_changed() -> None:
    setup = updated(Setup(), heard(transcription={"model": "gpt-4o-transcribe", "language": "sv", "prompt": "Umeå"}))
    assert (setup.model, setup.language, setup.prompt, setup.vad) == ("gpt-4o-transcribe", "sv", "Umeå", Vad())
    setup = updated(setup, heard(turn_detection=None))
    assert (setup.language, setup.vad) == ("sv", None)
    setup = updated(setup, heard(turn_detection={"type": "server_vad", "silence_duration_ms": 900}))
    assert setup.vad == Vad(silence_duration_ms=900)
    assert updated(setup, {"type": "transcription"}) == setup
    assert updated(setup, heard(transcription={"language": None})).language == ""


@pytest.mark.parametrize(
    ("told", "form", "rate"),
    [
        ({"type": "audio/pcm"}, PCM, 24_000),
        ({"type": "audio/pcm", "rate": 16_000}, PCM, 16_000),
        ({"type": "audio/pcmu"}, ULAW, 8_000),
        ({"type": "audio/pcma", "rate": 8_000}, ALAW, 8_000),
    ],
)
def test_formats(told: Json, form: str, rate: int) -> None:
    setup = updated(Setup(), heard(format=told))
    assert (setup.format, setup.rate) == (form, rate)
    assert setup.bytes_per_second == rate * (2 if form == PCM else 1)


def test_the_version_before_says_the_same_in_other_words() -> None:
    before = {
        "input_audio_format": "g711_ulaw",
        "input_audio_transcription": {"model": "whisper-1", "language": "de"},
        "input_audio_noise_reduction": {"type": "near_field"},
        "turn_detection": {"threshold": 0.7},
        "modalities": ["text"],
        "include": [LOGPROBS],
    }
    now = heard(
        format={"type": "audio/pcmu"},
        transcription={"model": "whisper-1", "language": "de"},
        noise_reduction={"type": "near_field"},
        turn_detection={"type": "server_vad", "threshold": 0.7},
    )
    assert updated_before(Setup(), before) == updated(Setup(), {**now, "include": [LOGPROBS]})
    assert updated_before(Setup(vad=None), {}) == Setup(vad=None)


def test_what_is_told_is_read_by_the_official_client_and_back() -> None:
    setup = Setup(language="sv", prompt="Umeå", vad=Vad(threshold=0.6), logprobs=True)
    told = realtime_session.told(setup)
    RealtimeTranscriptionSessionCreateResponse.model_validate({"id": "sess_1", **told})
    del told["object"]
    assert updated(Setup(), told) == setup
    before = realtime_session.told_before(setup)
    TranscriptionSession.model_validate({"client_secret": {"value": "", "expires_at": 0}, **before})
    del before["object"]
    assert updated_before(Setup(), before) == setup


def test_no_noise_is_reduced_and_that_is_told() -> None:
    setup = updated(Setup(), heard(noise_reduction={"type": "far_field", "strength": 0.5}))
    assert realtime_session.told(setup)["audio"]["input"]["noise_reduction"] is None


def test_one_possible_language_is_the_language_and_several_are_none() -> None:
    assert updated(Setup(), heard(transcription={"languages": ["fi"]})).language == "fi"
    assert updated(Setup(), heard(transcription={"languages": ["fi", "sv"]})).language == ""


def test_speakers_are_told_by_whole_utterances() -> None:
    setup = updated(Setup(), heard(transcription={"model": "gpt-4o-transcribe-diarize"}))
    assert setup.diarizes
    assert setup.chunk_seconds > Setup().chunk_seconds


AT = "session.audio.input"


@pytest.mark.parametrize(
    ("told", "code", "param"),
    [
        (None, "missing_required_parameter", "session"),
        ([], "invalid_value", "session"),
        ("transcription", "invalid_value", "session"),
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "realtime"}, "invalid_value", "session.type"),
        ({"type": "transcription", "voice": "alloy"}, "unknown_parameter", "session.voice"),
        ({"type": "transcription", "audio": {"output": {}}}, "unknown_parameter", "session.audio.output"),
        ({"type": "transcription", "audio": []}, "invalid_value", "session.audio"),
        ({"type": "transcription", "include": ["all"]}, "invalid_value", "session.include.0"),
        (heard(transcription=None), "missing_required_parameter", f"{AT}.transcription"),
        (heard(transcription={"model": "gpt-9"}), "invalid_value", f"{AT}.transcription.model"),
        (heard(transcription={"language": "xx"}), "invalid_value", f"{AT}.transcription.language"),
        (heard(transcription={"prompt": "a\x00b"}), "invalid_value", f"{AT}.transcription.prompt"),
        (heard(transcription={"enabled": True}), "unknown_parameter", f"{AT}.transcription.enabled"),
        (heard(transcription={"delay": "none"}), "invalid_value", f"{AT}.transcription.delay"),
        (heard(turn_detection={"type": "semantic_vad"}), "invalid_value", f"{AT}.turn_detection.type"),
        (heard(turn_detection={"threshold": 1.1}), "invalid_value", f"{AT}.turn_detection.threshold"),
        (heard(turn_detection={"threshold": "NaN"}), "invalid_value", f"{AT}.turn_detection.threshold"),
        (heard(turn_detection={"silence_duration_ms": 1}), "invalid_value", f"{AT}.turn_detection.silence_duration_ms"),
        (heard(turn_detection={"create_response": True}), "invalid_value", f"{AT}.turn_detection.create_response"),
        (heard(noise_reduction={"type": "all"}), "invalid_value", f"{AT}.noise_reduction.type"),
        (heard(format={"type": "audio/mp3"}), "invalid_value", f"{AT}.format.type"),
        (heard(format={"type": "audio/pcm", "rate": 7_999}), "invalid_value", f"{AT}.format.rate"),
        (heard(format={"type": "audio/pcmu", "rate": 16_000}), "invalid_value", f"{AT}.format.rate"),
    ],
)
def test_what_can_not_be_is_told_with_its_place(told: Any, code: str, param: str) -> None:
    assert refused(updated, told) == (code, param)


@pytest.mark.parametrize(
    ("told", "code", "param"),
    [
        ({"input_audio_format": "mp3"}, "invalid_value", "session.input_audio_format"),
        ({"audio": {}}, "unknown_parameter", "session.audio"),
        ({"turn_detection": {"type": "semantic_vad"}}, "invalid_value", "session.turn_detection.type"),
        ({"modalities": ["video"]}, "invalid_value", "session.modalities.0"),
    ],
)
def test_the_version_before_has_its_own_places(told: Any, code: str, param: str) -> None:
    assert refused(updated_before, told) == (code, param)
