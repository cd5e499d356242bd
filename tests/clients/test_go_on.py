"""Bad networks and busy servers: an upload that is cut goes on, a lost answer makes no second job, pauses are as asked for."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tools_whisper import Change, Client, Forbidden, Heard, Retries, ServerFault, ToolsWhisperError, Unreachable
from tools_whisper.transport import Place
from tools_whisper.watching import watch
from tools_whisper.wire import Answer, Call

from tests.clients.conftest import QUICK, Hook
from tests.serve.ports import free_port
from tests.serve.servers import RunningServer
from tests.uploads.proxy import Proxy

MEGABYTE = 1 << 20


@pytest.mark.serve
def test_an_upload_that_is_cut_sends_the_rest_and_no_more(
    server: RunningServer, token: str, hook: Hook, tmp_path: Path
) -> None:
    recording = tmp_path / "long.wav"
    recording.write_bytes(bytes(range(256)) * 4096 * 6)
    proxy = Proxy(server.port)
    proxy.cut_at = 3 * MEGABYTE
    sent: list[int] = []

    def tell(done: int, _size: int) -> None:
        sent.append(done)

    with Client(f"http://127.0.0.1:{proxy.port}", token, retries=Retries(first_pause=0.2)) as client:
        threading.Timer(1.0, lambda: setattr(proxy, "is_down", False)).start()
        job = client.submit(recording, callback_url=hook.url, on_sent=tell)
    assert client.place.token == token and job.raw["source_size_bytes"] == 6 * MEGABYTE
    assert sent == sorted(sent) and sent[-1] == 6 * MEGABYTE
    # The beginning of it was not sent twice.
    assert proxy.sent < 8 * MEGABYTE


Told = tuple[int, dict[str, str], Any]
JOB = {"id": 7, "status": "queued"}


@contextlib.contextmanager
def answering(*answers: Told) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives these answers in turn, whatever it is asked; status 0 hangs up. Yields its address and what came."""
    left, came = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            came.append({"path": self.path, **dict(self.headers.items())})
            status, headers, body = left.pop(0)
            if not status:
                self.close_connection = True
                return
            told = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(told)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = answer

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()


def test_a_lost_answer_is_asked_for_again_under_the_same_key() -> None:
    with (
        answering((0, {}, b""), (201, {}, {"ok": True, "job": JOB})) as (url, came),
        Client(url, "t", retries=QUICK) as c,
    ):
        assert c.submit("https://example.com/a.mp3", callback_url="https://example.com/hook").id == 7
    assert len({one["Idempotency-Key"] for one in came}) == 1 and len(came) == 2


def test_what_must_not_happen_twice_is_not_sent_again() -> None:
    with (
        answering((0, {}, b""), (200, {}, {"ok": True, "job": JOB})) as (url, came),
        Client(url, "t", retries=QUICK) as c,
        pytest.raises(Unreachable),
    ):
        c.cancel(7)
    assert len(came) == 1


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    busy = (429, {"Retry-After": "0"}, {"ok": False, "message": "Wait.", "code": "throttled"})
    answers: tuple[Told, ...] = (busy, (503, {}, b"<html>"), (200, {}, {"ok": True, "job": JOB}))
    with answering(*answers) as (url, came), Client(url, "t", retries=QUICK) as client:
        assert client.cancel(7).id == 7
    assert len(came) == 3


def test_a_download_that_breaks_off_begins_again_and_leaves_no_half_file(tmp_path: Path) -> None:
    target = tmp_path / "talk.txt"
    target.write_text("of before")
    half = (200, {"Content-Length": "9"}, b"half")
    with answering(half, (200, {}, b"the whole")) as (url, _came), Client(url, "t", retries=QUICK) as client:
        client.export(7, "txt", target)
    assert target.read_text() == "the whole"
    once = Retries(attempts=1)
    with answering(half) as (url, _came), Client(url, "t", retries=once) as client, pytest.raises(Unreachable):
        client.export(7, "txt", target)
    assert target.read_text() == "the whole" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((200, {}, b"<html>"), ToolsWhisperError, "no Tools Whisper server"),
        ((301, {"Location": "https://b.example"}, b""), ToolsWhisperError, r"https://b\.example"),
        ((500, {}, b"<html>"), ServerFault, "500"),
        ((403, {}, {"message": "Ask somebody.", "code": "c"}), Forbidden, "Ask somebody"),
    ],
)
def test_what_was_answered_instead_is_told(answer: Told, kind: type[Exception], words: str) -> None:
    with answering(answer) as (url, _came), Client(url, "t") as client, pytest.raises(kind, match=words):
        client.status()


@pytest.mark.parametrize("wrong", ["tools.example.com", "ftp://a.example", "https://", "https://a.example/?x=1"])
def test_an_address_that_is_none_is_refused_at_once(wrong: str) -> None:
    with pytest.raises(ToolsWhisperError, match="address"):
        Client(wrong, "t")


def test_pauses_grow_and_end() -> None:
    retries, call, lost = Retries(attempts=4), Call("GET", "/", is_repeatable=True), Answer(lost=OSError())
    pauses = [retries.pause(call, lost, attempt) for attempt in range(1, 5)]
    assert pauses[3] is None
    assert [round((one or 0) / 0.5) for one in pauses[:3]] in ([1, 2, 3], [1, 2, 4], [1, 2, 5])
    assert retries.pause(call, Answer(429, {"retry-after": "7"}), 1) == 7
    assert retries.pause(call, Answer(429, {"retry-after": "100000"}), 1) is None
    assert retries.pause(call, Answer(422), 1) is None


@pytest.mark.serve
def test_an_upload_goes_on_after_the_program_has_died(url: str, token: str, hook: Hook, tmp_path: Path) -> None:
    recording, notes = tmp_path / "long.wav", tmp_path / "uploads"
    recording.write_bytes(bytes(range(256)) * 4096 * 6)

    class Died(BaseException):
        """As nothing that a program catches."""

    def die(done: int, _size: int) -> None:
        if done:
            raise Died

    sent: list[int] = []
    with Client(url, token, uploads=notes) as client:
        with pytest.raises(Died):
            client.submit(recording, callback_url=hook.url, on_sent=die)
        (noted,) = notes.iterdir()
        job = client.submit(recording, callback_url=hook.url, on_sent=lambda done, _size: sent.append(done))
        assert sent == [4 * MEGABYTE, 6 * MEGABYTE] and job.raw["source_size_bytes"] == 6 * MEGABYTE
        assert not noted.exists()
        # What is noted may be gone on the server.
        noted.write_text("/api/whisper/uploads/00000000-0000-4000-8000-000000000000")
        assert client.submit(recording, callback_url=hook.url).id != job.id


@pytest.mark.serve
def test_a_job_is_watched_where_no_socket_can_be_had(url: str, token: str, hook: Hook) -> None:
    with Client(url, token) as client:
        job = client.submit("https://example.com/talk.mp3", callback_url=hook.url, sandbox="finish_in=1; segments=3")
        nowhere = Place(f"http://127.0.0.1:{free_port()}", token)
        *_first, heard, end = watch(nowhere, client, job.id)
    assert isinstance(heard, Heard) and len(heard.segments) == 3
    assert isinstance(end, Change) and end.job.is_completed
