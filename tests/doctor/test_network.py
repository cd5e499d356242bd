"""What only the network tells, against real servers on loopback."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.doctor.conftest import Change
from whisper_jobs.doctor import examining, network, speakers
from whisper_jobs.doctor.finding import Finding, Group, State
from whisper_jobs.outbound import Guard

NETWORK = ipaddress.ip_network("127.0.0.1/32")
LOOPBACK = Guard((NETWORK,))
#: path and headers → status, body, by how many seconds its clock is ahead
Answer = tuple[int, bytes, float]
Behaviour = Callable[[str, dict[str, str]], Answer]


@contextmanager
def web(behaviour: Behaviour) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            status, body, ahead = behaviour(self.path, dict(self.headers))
            self.send_response_only(status)
            self.send_header("Date", formatdate(time.time() + ahead, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("ahead", "state"), [(0.0, State.OK), (-30.0, State.WARN), (3600.0, State.FAIL)])
def test_what_is_reached_tells_the_time(ahead: float, state: State) -> None:
    with web(lambda path, headers: (200, b"", ahead)) as url:
        reached, clock = network.internet(url, LOOPBACK)
    assert (reached.name, reached.state) == ("internet", State.OK)
    assert (clock.name, clock.state) == ("clock-net", state)


def test_an_internet_that_is_not_reached_is_told() -> None:
    for guard in (LOOPBACK, Guard()):
        [found] = network.internet("http://127.0.0.1:1/", guard)
        assert found.state == State.WARN and "callbacks" in found.sentence


def the_relay(change: Change, behaviour: Behaviour) -> Finding:
    with web(behaviour) as url:
        change(backends="B", relay_base_url=f"{url}/v1/", relay_api_key="sk-1", outbound_allow=(NETWORK,))
        [found] = network.check_relay()
    assert "sk-1" not in str(found)
    return found


def models(*names: str) -> bytes:
    return json.dumps({"data": [{"id": name} for name in names]}).encode()


def test_the_relay_is_asked_for_its_models_with_the_key(change: Change) -> None:
    def behaviour(path: str, headers: dict[str, str]) -> Answer:
        known = path == "/v1/models" and headers["Authorization"] == "Bearer sk-1"
        return (200 if known else 404), models("whisper-1"), 0.0

    found = the_relay(change, behaviour)
    assert (found.state, found.sentence) == (State.OK, "The relay answers and has the model whisper-1.")


@pytest.mark.parametrize(
    ("status", "body", "state", "advice"),
    [
        (401, b"", State.FAIL, "Correct TOOLS_RELAY_API_KEY."),
        (403, b"", State.FAIL, "Correct TOOLS_RELAY_API_KEY."),
        (200, models("other"), State.FAIL, "Correct TOOLS_RELAY_MODEL."),
        (404, b"<html>", State.OK, ""),
        (200, b'{"data": 7}', State.OK, ""),
    ],
)
def test_what_is_wrong_with_the_relay_is_told(
    change: Change, status: int, body: bytes, state: State, advice: str
) -> None:
    found = the_relay(change, lambda path, headers: (status, body, 0.0))
    assert (found.state, found.advice) == (state, advice)


def test_a_relay_that_is_not_there_fails_and_none_is_not_asked(change: Change) -> None:
    assert network.check_relay() == []
    change(backends="B", relay_base_url="http://127.0.0.1:1/v1", outbound_allow=(NETWORK,))
    assert network.check_relay()[0].state == State.FAIL


def test_a_token_of_the_hub_opens_the_gated_model_or_does_not() -> None:
    assert speakers.hub("http://127.0.0.1:1", LOOPBACK, token="") == []
    asked: list[tuple[str, str]] = []

    def behaviour(path: str, headers: dict[str, str]) -> Answer:
        asked.append((path, headers["Authorization"]))
        return (200 if headers["Authorization"] == "Bearer hf_good" else 403), b"", 0.0

    with web(behaviour) as url:
        [good] = speakers.hub(url, LOOPBACK, token="hf_good")
        [bad] = speakers.hub(url, LOOPBACK, token="hf_bad")
    assert asked[0] == ("/api/models/pyannote/speaker-diarization-community-1/auth-check", "Bearer hf_good")
    assert (good.state, bad.state) == (State.OK, State.WARN)
    assert "answer 403" in bad.sentence and "hf_bad" not in str(bad)
    assert speakers.hub("http://127.0.0.1:1", LOOPBACK, token="hf_good")[0].state == State.WARN


def test_a_mail_server_that_is_not_there_fails(change: Change, settings: object) -> None:
    assert network.check_mail() == []
    change(email_url="smtp://user:secret-word@127.0.0.1:1")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # type: ignore[attr-defined]
    [found] = network.check_mail()
    assert found.state == State.FAIL and "secret-word" not in str(found)


def test_the_network_is_looked_at_when_asked_and_last(
    change: Change, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Group.NETWORK not in [section.group for section in examining.examine()]
    monkeypatch.setattr(network, "PROBE", "http://127.0.0.1:1/")
    section = examining.examine([Group.MEDIA], net=True)[-1]
    assert section.group == Group.NETWORK
    assert [finding.name for finding in section.findings] == ["internet"]
