"""The relay over real HTTP: what is asked, what answers mean, and every way in which a server can fail."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.speech.conftest import Pcm
from tests.speech.relay_server import HELLO, KEY, RelayServer, Reply, refused, said, segment, verbose, word
from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard
from whisper_jobs.speech.engines import relay_reading
from whisper_jobs.speech.engines.base import Options, Relay, Samples, Setup
from whisper_jobs.speech.engines.openai_relay import SENTENCES, OpenAIRelay

PLAIN = Options()
LOOPBACK = Guard((ipaddress.ip_network("127.0.0.1/32"),))


@pytest.fixture
def server() -> Iterator[RelayServer]:
    with RelayServer().running() as running:
        yield running
    assert running.complaints == []


def engine(server: RelayServer, **relay: Any) -> OpenAIRelay:
    told = Relay(**{"base_url": server.url, "api_key": KEY, "model": "whisper-1", "guard": LOOPBACK, **relay})
    return OpenAIRelay(told.model, Setup(relay=told))


def window(seconds: float = 2.0, level: float = 0.1) -> Samples:
    return np.full(int(seconds * 16_000), level, np.float32)


def heard(server: RelayServer, told: Any, options: Options = PLAIN, *, seconds: float = 2.0) -> Any:
    server.behaviour = lambda asked: said(told)
    return engine(server).transcribe([window(seconds)], options)[0]


def failing(server: RelayServer, reply: Reply, options: Options = PLAIN, **relay: Any) -> JobError:
    server.behaviour = lambda asked: reply
    with pytest.raises(JobError) as raised:
        engine(server, **relay).transcribe([window()], options)
    assert KEY not in str(raised.value)
    return raised.value


# --- what is asked --------------------------------------------------------------------------------


def test_the_sound_and_all_that_helps_it_are_sent(server: RelayServer, dialogue: Pcm) -> None:
    samples: Samples = (dialogue[: 3 * 16_000] / 32768).astype(np.float32)
    options = Options(language="en", initial_prompt="A talk.", hotwords=("Ada", "Ångström"), temperatures=(0.2, 0.4))
    engine(server).transcribe([samples], options)
    [asked] = server.asked
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.fields == {
        "model": ["whisper-1"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["segment", "word"],
        "language": ["en"],
        "prompt": ["A talk. Ada, Ångström"],
        "temperature": ["0.2"],
    }
    assert np.array_equal(asked.samples, dialogue[: 3 * 16_000])


def test_what_nobody_asked_for_is_left_to_the_server(server: RelayServer) -> None:
    engine(server).transcribe([window()], Options())
    assert server.asked[0].fields.keys() == {"model", "response_format", "timestamp_granularities[]"}


def test_a_translation_is_asked_for_at_its_own_address(server: RelayServer) -> None:
    [result] = engine(server).transcribe([window()], Options(task="translate", language="sv"))
    assert server.asked[0].path == "/v1/audio/translations"
    assert server.asked[0].fields == {"model": ["whisper-1"], "response_format": ["verbose_json"]}
    assert (result.segments[0].text, result.language) == ("Hello, world.", "sv")


def test_the_language_of_a_translation_is_not_what_it_was_translated_to(server: RelayServer) -> None:
    assert heard(server, HELLO, Options(task="translate")).language is None


def test_sound_beyond_full_scale_is_clipped_not_wrapped(server: RelayServer) -> None:
    engine(server).transcribe([np.array([2.0, -2.0, 1.0] * 1600, np.float32)], Options())
    assert server.asked[0].samples[:3].tolist() == [32767, -32768, 32767]


def test_a_window_too_short_for_any_server_is_made_longer(server: RelayServer) -> None:
    result = heard(server, verbose(segment(0.0, 0.1, "Hi.")), seconds=0.01)
    assert len(server.asked[0].samples) == 1600
    assert (result.segments[0].start, result.segments[0].end) == (0.0, 0.01)


def test_no_sound_is_no_question(server: RelayServer) -> None:
    assert engine(server).transcribe([window(0)], Options())[0].segments == ()
    assert server.asked == []


def test_a_server_that_wants_no_key_gets_none(server: RelayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-the-environment")
    assert engine(server, api_key="").transcribe([window()], Options())[0].segments[0].text == "Hello, world."


def test_the_key_is_not_in_what_is_printed_of_the_settings(server: RelayServer) -> None:
    assert KEY not in repr(Setup(relay=Relay(server.url, KEY, "whisper-1", LOOPBACK)))


# --- several windows ------------------------------------------------------------------------------


def by_level(asked: Any) -> Reply:
    """Says how loud the window is, the quieter ones later."""
    level = int(asked.samples[0])
    time.sleep(0.2 / level)
    return said(verbose(segment(0.0, 1.0, str(level))))


def levels(count: int) -> list[Samples]:
    return [window(0.2, (place + 1) / 32768) for place in range(count)]


def test_several_windows_are_under_way_together_and_come_back_in_their_order(server: RelayServer) -> None:
    server.behaviour = by_level
    results = engine(server).transcribe(levels(6), Options())
    assert [result.segments[0].text for result in results] == ["1", "2", "3", "4", "5", "6"]
    assert server.most_at_once == engine(server).batch == 4


def test_what_was_heard_is_not_paid_for_again_when_another_window_fails(server: RelayServer) -> None:
    whisper = engine(server)
    broken = threading.Event()

    def one_breaks(asked: Any) -> Reply:
        if int(asked.samples[0]) == 3 and not broken.is_set():
            time.sleep(0.5)
            return refused(503)
        return by_level(asked)

    server.behaviour = one_breaks
    with pytest.raises(JobError):
        whisper.transcribe(levels(3), Options())
    broken.set()
    results = whisper.transcribe(levels(3), Options())
    assert [result.segments[0].text for result in results] == ["1", "2", "3"]
    assert sorted(int(asked.samples[0]) for asked in server.asked) == [1, 2, 3, 3]


def test_the_same_sound_with_other_wishes_is_asked_for_anew(server: RelayServer) -> None:
    whisper = engine(server)
    for options in (Options(), Options(language="sv"), Options(temperatures=(0.4,)), Options(hotwords=("Ada",))):
        whisper.transcribe([window()], options)
    assert len(server.asked) == 4


# --- what is answered -----------------------------------------------------------------------------


def test_segments_come_with_their_words_times_and_how_sure_the_model_was(server: RelayServer) -> None:
    result = heard(server, HELLO)
    [found] = result.segments
    assert (found.start, found.end, found.text) == (0.5, 1.5, "Hello, world.")
    # The server tells words bare; they are written as the text writes them.
    assert [(one.start, one.end, one.text) for one in found.words] == [(0.5, 0.9, "Hello,"), (1.0, 1.5, "world.")]
    assert found.probability == pytest.approx(0.7788, abs=1e-3)
    assert found.decoding is not None and found.decoding.no_speech_prob == 0.02
    assert result.language == "en"


def test_words_inside_segments_are_read_as_well(server: RelayServer) -> None:
    told = verbose(segment(0.0, 1.0, "Yes.", words=[word(0.1, 0.4, " Yes.", probability=0.9)]))
    [found] = heard(server, told).segments
    assert [(one.text, one.probability) for one in found.words] == [("Yes.", 0.9)]


def test_each_word_goes_to_the_segment_in_which_it_is_said(server: RelayServer) -> None:
    words = [word(0.0, 0.4, "one"), word(0.5, 0.9, "two"), word(1.1, 1.4, "three"), word(1.5, 1.9, "four")]
    told = verbose(segment(0.0, 1.0, "one two"), segment(1.0, 2.0, "three four"), words=words)
    texts = [[one.text for one in found.words] for found in heard(server, told).segments]
    assert texts == [["one", "two"], ["three", "four"]]


def test_words_alone_make_one_segment_from_the_first_to_the_last(server: RelayServer) -> None:
    told = {"text": "Hello, world.", "words": HELLO["words"], "language": "en"}
    [found] = heard(server, told).segments
    assert (found.start, found.end, found.text, len(found.words)) == (0.5, 1.5, "Hello, world.", 2)


def test_times_outside_of_the_window_are_put_into_it(server: RelayServer) -> None:
    told = verbose(
        segment(1.0, 29.98, "late"),
        segment(-3.0, 0.5, "early"),
        segment(30.0, 31.0, "never"),
        words=[word(1.5, 44, "late")],
    )
    found = heard(server, told).segments
    assert [(one.start, one.end, one.text) for one in found] == [(0.0, 0.5, "early"), (1.0, 2.0, "late")]
    assert (found[1].words[0].start, found[1].words[0].end) == (1.5, 2.0)


def test_silence_is_no_segment(server: RelayServer) -> None:
    assert heard(server, verbose(text="")).segments == ()
    assert heard(server, {"text": " "}).segments == ()


@pytest.mark.parametrize(
    ("told", "code"), [("swedish", "sv"), ("sv", "sv"), ("Klingon", None), (7, None), (None, None)]
)
def test_the_language_is_told_in_many_ways(server: RelayServer, told: Any, code: str | None) -> None:
    assert heard(server, {**HELLO, "language": told}).language == code


def test_what_was_asked_for_is_the_language(server: RelayServer) -> None:
    assert heard(server, HELLO, Options(language="sv")).language == "sv"


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["text", "segments", "words", "word", "start", "end", "language", "avg_logprob"]), inner
        )
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_whatever_is_answered_makes_segments_inside_the_window_or_is_refused(told: Any) -> None:
    try:
        result = relay_reading.read(json.dumps(told), seconds=2.0)
    except ValueError:
        return
    for found in result.segments:
        assert 0.0 <= found.start <= found.end <= 2.0 and found.text
        assert all(found.start <= one.start <= one.end <= found.end and one.text for one in found.words)
    starts = [found.start for found in result.segments]
    assert starts == sorted(starts)


# --- servers that know less -----------------------------------------------------------------------


def knows(*formats: str, words: bool) -> Callable[[Any], Reply]:
    def behaviour(asked: Any) -> Reply:
        if asked.one("response_format") not in formats:
            return refused(400, "response_format is not compatible with model", param="response_format")
        if "timestamp_granularities[]" in asked.fields and not words:
            return refused(422, "unknown field")
        return said(HELLO if asked.one("response_format") == "verbose_json" else {"text": "Hello, world."})

    return behaviour


def test_a_model_that_tells_no_times_is_asked_for_its_text_from_then_on(server: RelayServer) -> None:
    server.behaviour = knows("json", words=False)
    told: list[str] = []
    whisper = engine(server, model="gpt-4o-transcribe")
    for level in (0.1, 0.2):
        [result] = whisper.transcribe([window(level=level)], Options(tell=told.append))
    [found] = result.segments
    assert (found.start, found.end, found.text, found.words) == (0.0, 2.0, "Hello, world.", ())
    assert [asked.one("response_format") for asked in server.asked] == ["verbose_json", "verbose_json", "json", "json"]
    assert told == [SENTENCES["no_times"]]


def test_a_server_without_times_of_words_is_asked_for_those_of_segments(server: RelayServer) -> None:
    server.behaviour = knows("verbose_json", "json", words=False)
    assert engine(server).transcribe([window()], Options())[0].segments[0].end == 1.5
    assert [len(asked.fields.get("timestamp_granularities[]", [])) for asked in server.asked] == [2, 0]


def test_one_window_that_is_refused_in_every_way_does_not_cost_the_others_their_times(server: RelayServer) -> None:
    whisper = engine(server)
    server.behaviour = lambda asked: refused(400, "could not decode")
    with pytest.raises(JobError, match=SENTENCES["request"]):
        whisper.transcribe([window()], Options())
    server.behaviour = knows("verbose_json", "json", words=True)
    whisper.transcribe([window()], Options())
    assert server.asked[-1].fields["timestamp_granularities[]"] == ["segment", "word"]


@pytest.mark.parametrize(
    "reply",
    [
        refused(400, "Invalid value", param="language", code="unsupported_language"),
        refused(400, "Language 'mi' is not supported"),
        Reply(422, b'{"detail": [{"loc": ["body", "language"], "msg": "not a valid enumeration member"}]}'),
    ],
)
def test_a_language_that_the_model_lacks_is_told_by_its_name(server: RelayServer, reply: Reply) -> None:
    error = failing(server, reply, Options(language="mi"))
    assert (error.code, error.retry) == ("language_unsupported", False)
    assert "Maori" in error.message


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code", "sentence", "retry"),
    [
        (refused(401, f"Incorrect API key provided: {KEY}"), "backend_unavailable", "key", False),
        (refused(402), "quota_exceeded", "quota", False),
        (refused(403), "backend_unavailable", "forbidden", False),
        (refused(404), "backend_unavailable", "unknown_model", False),
        (refused(413), "backend_unavailable", "too_long", False),
        (refused(405), "backend_unavailable", "request", False),
        (refused(429), "backend_unavailable", "busy", True),
        (refused(429, code="insufficient_quota"), "quota_exceeded", "quota", False),
        (refused(500), "backend_unavailable", "broken", True),
        (refused(503), "backend_unavailable", "broken", True),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), "backend_unavailable", "request", False),
        (Reply(body=b"<html>Welcome</html>", content_type="text/html"), "backend_unavailable", "nonsense", True),
        (Reply(body=b'{"text": "Hel'), "backend_unavailable", "nonsense", True),
        (Reply(body=b'{"error": "busy"}'), "backend_unavailable", "nonsense", True),
        (Reply(body=b"[" * 200_000), "backend_unavailable", "nonsense", True),
        (Reply(body=b'\xff\xfe"'), "backend_unavailable", "nonsense", True),
        (said(HELLO, cut=20), "backend_unavailable", "unreachable", True),
        (said({"text": "x" * (9 << 20)}), "backend_unavailable", "nonsense", True),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(
    server: RelayServer, reply: Reply, code: str, sentence: str, retry: bool
) -> None:
    error = failing(server, reply)
    assert (error.code, error.message, error.retry) == (code, SENTENCES[sentence], retry)


def test_a_server_that_asks_for_a_pause_gets_it(server: RelayServer) -> None:
    assert failing(server, refused(429, Retry_After="17")).after_seconds == 17.0
    assert failing(server, refused(503, Retry_After="1e9")).after_seconds == 3600.0


def test_a_server_that_is_slow_is_given_up_and_tried_later(server: RelayServer) -> None:
    hold = threading.Event()
    error = failing(server, said(HELLO, hold=hold), timeout_seconds=0.5)
    hold.set()
    assert (error.code, error.message, error.retry) == ("timeout", SENTENCES["slow"], True)


def test_a_server_that_is_not_there_is_tried_later(server: RelayServer) -> None:
    error = failing(server, said(HELLO), base_url="http://127.0.0.1:1/v1")
    assert (error.message, error.retry) == (SENTENCES["unreachable"], True)


def test_a_private_address_that_nobody_admitted_is_never_connected_to(server: RelayServer) -> None:
    error = failing(server, said(HELLO), guard=Guard())
    assert (error.message, error.retry) == (SENTENCES["refused"], False)
    assert server.asked == []


def test_whoever_should_stop_does_not_wait_for_the_answer(server: RelayServer) -> None:
    hold = threading.Event()
    server.behaviour = lambda asked: said(HELLO, hold=hold)
    began = time.monotonic()
    options = Options(should_stop=lambda: time.monotonic() - began > 0.3)
    with pytest.raises(JobError) as raised:
        engine(server).transcribe(levels(6), options)
    hold.set()
    assert raised.value.code == "cancelled"
    assert time.monotonic() - began < 1.3


def test_no_chain_of_errors_leads_to_what_the_server_said(server: RelayServer) -> None:
    error = failing(server, refused(401, f"Incorrect API key provided: {KEY}"))
    assert error.__cause__ is None and error.__suppress_context__


def test_without_a_relay_there_is_no_such_engine() -> None:
    with pytest.raises(JobError) as raised:
        OpenAIRelay("whisper-1", Setup())
    assert (raised.value.code, raised.value.message) == ("model_unavailable", SENTENCES["not_set"])


def test_a_batch_that_the_operator_chose_is_kept(server: RelayServer) -> None:
    setup = Setup(relay=Relay(server.url, KEY, "whisper-1", LOOPBACK), batch=2)
    assert OpenAIRelay("whisper-1", setup).batch == 2
    assert replace(setup, batch=None) != setup
