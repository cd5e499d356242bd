"""One question to a model, over real HTTP: every way in which a server can answer, fail, and keep one waiting."""

from __future__ import annotations

import gzip
import ipaddress
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.enrichment.model_server import ModelServer, Reply, refused, said, shape_of
from whisper_jobs.errors import JobError
from whisper_jobs.language_models.asking import LanguageModel, Question
from whisper_jobs.language_models.failures import SENTENCES
from whisper_jobs.outbound import Guard

QUESTION = Question("Be brief.", "What is it?", "answer", {"type": "object", "properties": {}})
LOOPBACK = Guard((ipaddress.ip_network("127.0.0.1/32"),))


def asking(server: ModelServer, guard: Guard = LOOPBACK, *, seconds: float = 10.0, **options: Any) -> LanguageModel:
    return LanguageModel(
        **{
            "base_url": server.url,
            "api_key": "a-key",
            "model": "small-model",
            "open_client": lambda: guard.client(timeout=seconds, total_timeout=seconds),
            **options,
        }
    )


def failing(server: ModelServer, reply: Reply, **options: Any) -> JobError:
    server.behaviour = lambda asked: reply
    with pytest.raises(JobError) as raised:
        asking(server, **options)(QUESTION)
    return raised.value


def test_the_answer_comes_with_what_it_cost_and_the_key_went_along(model_server: ModelServer) -> None:
    model_server.behaviour = lambda asked: said("It is this.")
    answer = asking(model_server)(QUESTION)
    assert (answer.text, answer.model, answer.cut) == ("It is this.", "model-of-the-server", False)
    assert (answer.prompt_tokens, answer.completion_tokens) == (100, 10)
    assert model_server.headers[0]["authorization"] == "Bearer a-key"
    asked = model_server.asked[0]
    assert asked["model"] == "small-model"
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert asked["response_format"]["json_schema"]["schema"] == QUESTION.schema


def test_nothing_of_the_environment_is_sent_along(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-the-environment")
    asking(model_server)(QUESTION)
    assert "of-the-environment" not in str(model_server.headers)


def test_a_server_that_knows_no_schemas_is_asked_in_a_plainer_way_from_then_on(model_server: ModelServer) -> None:
    def picky(asked: dict[str, Any]) -> Reply:
        return said("fine") if shape_of(asked) == "json_object" else refused(400, "unsupported")

    model_server.behaviour = picky
    model = asking(model_server)
    assert model(QUESTION).text == model(QUESTION).text == "fine"
    assert [shape_of(asked) for asked in model_server.asked] == ["json_schema", "json_object", "json_object"]


def test_a_server_that_knows_no_shapes_at_all_is_asked_without(model_server: ModelServer) -> None:
    model_server.behaviour = lambda asked: said("fine") if shape_of(asked) == "text" else refused(422)
    assert asking(model_server)(QUESTION).text == "fine"


def test_what_a_model_thinks_aloud_is_no_part_of_its_answer(model_server: ModelServer) -> None:
    model_server.behaviour = lambda asked: said("<think>\nHm, {}.\n</think>\n\nYes.")
    assert asking(model_server)(QUESTION).text == "Yes."


def test_a_refusal_is_an_answer(model_server: ModelServer) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I would rather not."}
    model_server.behaviour = lambda asked: said("", message=message)
    assert asking(model_server)(QUESTION).text == "I would rather not."


def test_what_no_database_can_store_is_left_out(model_server: ModelServer) -> None:
    model_server.behaviour = lambda asked: said("a\0b\ud800c")
    assert asking(model_server)(QUESTION).text == "ab?c"


def test_an_answer_that_was_cut_says_so(model_server: ModelServer) -> None:
    model_server.behaviour = lambda asked: said('{"summary": "It was', finish_reason="length")
    assert asking(model_server)(QUESTION).cut


@pytest.mark.parametrize(
    ("reply", "sentence", "retry"),
    [
        (refused(401), "key", False),
        (refused(402), "quota", False),
        (refused(403), "forbidden", False),
        (refused(404), "unknown_model", False),
        (refused(405), "request", False),
        (refused(400), "request", False),
        (refused(400, "context_length_exceeded"), "too_long", False),
        (refused(413), "too_long", False),
        (refused(429, "insufficient_quota"), "quota", False),
        (refused(429), "busy", True),
        (refused(500), "broken", True),
        (refused(503), "broken", True),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), "request", False),
        (Reply(body=b"<html>Welcome</html>", content_type="text/html"), "nonsense", True),
        (Reply(body=b'{"choices": [{"index"'), "nonsense", True),
        (Reply(body=b'{"answer": 42}'), "nonsense", True),
        (Reply(body=b"[]"), "nonsense", True),
        (Reply(body=b'{"choices": [], "usage": null}'), "nonsense", True),
        (Reply(body=b'{"choices"', headers={"Content-Length": "4000"}), "unreachable", True),
        (said(""), "empty", True),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(
    model_server: ModelServer, reply: Reply, sentence: str, retry: bool
) -> None:
    error = failing(model_server, reply)
    assert (error.message, error.retry) == (SENTENCES[sentence], retry)


def test_a_server_that_asks_for_a_pause_gets_it(model_server: ModelServer) -> None:
    assert failing(model_server, refused(429, Retry_After="17")).after_seconds == 17.0
    assert failing(model_server, refused(503, Retry_After="1e9")).after_seconds == 3600.0
    assert failing(model_server, refused(429, Retry_After="tomorrow")).after_seconds == 0.0


def test_a_server_that_is_slow_is_given_up_and_tried_later(model_server: ModelServer) -> None:
    hold = threading.Event()
    error = failing(model_server, Reply(hold=hold), seconds=0.5)
    hold.set()
    assert (error.code, error.retry) == ("timeout", True)


def test_a_server_that_is_not_there_is_tried_later(model_server: ModelServer) -> None:
    with pytest.raises(JobError) as raised:
        asking(model_server, base_url="http://127.0.0.1:1/v1")(QUESTION)
    assert (raised.value.message, raised.value.retry) == (SENTENCES["unreachable"], True)


def test_a_private_address_that_nobody_admitted_is_never_connected_to(model_server: ModelServer) -> None:
    with pytest.raises(JobError) as raised:
        asking(model_server, Guard())(QUESTION)
    assert (raised.value.message, raised.value.retry) == (SENTENCES["refused"], False)
    assert "TOOLS_OUTBOUND_ALLOW" in raised.value.message
    assert model_server.asked == []


def test_an_address_that_is_none_is_told(model_server: ModelServer) -> None:
    with pytest.raises(JobError) as raised:
        asking(model_server, base_url="ftp://example.com/v1")(QUESTION)
    assert raised.value.message == SENTENCES["bad_address"]


def test_whoever_should_stop_does_not_wait_for_the_answer(model_server: ModelServer) -> None:
    hold = threading.Event()
    model_server.behaviour = lambda asked: Reply(hold=hold)
    began = time.monotonic()
    stop: Callable[[], bool] = lambda: time.monotonic() - began > 0.3  # noqa: E731
    with pytest.raises(JobError) as raised:
        asking(model_server, should_stop=stop)(QUESTION)
    hold.set()
    assert raised.value.code == "cancelled"
    assert time.monotonic() - began < 2


def bounded() -> httpx2.Client:
    return LOOPBACK.client(timeout=10, total_timeout=10, max_bytes=100_000)


def test_an_answer_without_end_is_not_read_to_its_end(model_server: ModelServer) -> None:
    error = failing(model_server, said("x" * 200_000), open_client=bounded)
    assert (error.message, error.retry) == (SENTENCES["nonsense"], True)


def test_an_answer_that_would_grow_when_it_is_unpacked_is_not_read(model_server: ModelServer) -> None:
    packed = gzip.compress(said("x" * 1_000_000).body)
    error = failing(model_server, Reply(body=packed, headers={"Content-Encoding": "gzip"}), open_client=bounded)
    assert len(packed) < 100_000
    assert error.message == SENTENCES["nonsense"]
    assert model_server.headers[0]["accept-encoding"] == "identity"


def test_a_bounded_answer_is_read(model_server: ModelServer) -> None:
    model_server.behaviour = lambda asked: said("x" * 50_000)
    assert len(asking(model_server, open_client=bounded)(QUESTION).text) == 50_000
