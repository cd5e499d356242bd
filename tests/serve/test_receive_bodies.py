"""The web process takes bodies of any size without holding them in memory, and survives what it can't keep."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import websockets

from tests.serve.ports import free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1 << 20
LIMIT_MB = 320
UPLOAD = {"Content-Type": "multipart/form-data; boundary=x"}


@dataclass(frozen=True)
class Probe:
    port: int
    pid: int
    tmp: Path

    @contextlib.contextmanager
    def connect(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            yield connection
        finally:
            connection.close()

    def send(self, body: Any, headers: dict[str, str], path: str = "/") -> tuple[int, dict[str, Any]]:
        with self.connect() as connection:
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


def start(tmp_path: Path, **variables: str) -> tuple[subprocess.Popen[bytes], Probe]:
    port = free_port()
    tmp = tmp_path / "tmp"
    tmp.mkdir(parents=True)
    given = {"TOOLS_DATA_DIR": str(tmp_path), "TMPDIR": str(tmp), "TOOLS_UPLOAD_MAX_MB": str(LIMIT_MB), **variables}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serve.probe", str(port)],
        cwd=ROOT,
        env={**kept, **given, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    wait_until(lambda: answers(port), "the web process listens", process=process)
    return process, Probe(port, process.pid, tmp)


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    process, probe = start(tmp_path_factory.mktemp("web"))
    yield probe
    process.terminate()
    assert process.wait(10) == 0


def pieces(megabytes: int) -> Iterator[bytes]:
    for number in range(megabytes):
        yield bytes([number % 251]) * MEGABYTE


def digest(megabytes: int) -> str:
    whole = hashlib.sha256()
    for piece in pieces(megabytes):
        whole.update(piece)
    return whole.hexdigest()


def test_a_small_body_arrives_whole(probe: Probe) -> None:
    status, told = probe.send(b"hello", UPLOAD)
    assert (status, told["size"], told["sha256"]) == (200, 5, hashlib.sha256(b"hello").hexdigest())
    assert told["headers"]["content-length"] == "5"


def test_a_request_without_a_body_is_answered(probe: Probe) -> None:
    with probe.connect() as connection:
        connection.request("GET", "/")
        assert json.loads(connection.getresponse().read())["size"] == 0


def test_a_connection_is_used_again_after_a_large_body(probe: Probe) -> None:
    with probe.connect() as connection:
        for size in (3, 2 * MEGABYTE, 4):
            connection.request("POST", "/", body=b"z" * size, headers=UPLOAD)
            answer = connection.getresponse()
            assert json.loads(answer.read())["size"] == size
            assert connection.sock is not None, "the server closed the connection"


def test_a_300_mb_upload_is_never_in_memory(probe: Probe) -> None:
    before = psutil.Process(probe.pid).memory_info().rss
    status, told = probe.send(pieces(300), {**UPLOAD, "Content-Length": str(300 * MEGABYTE)})
    assert (status, told["size"], told["sha256"]) == (200, 300 * MEGABYTE, digest(300))
    assert told["peak_kb"] * 1024 - before < 64 * MEGABYTE
    assert told["pieces"] > 300


def test_a_url_encoded_form_is_left_to_the_application(probe: Probe) -> None:
    status, told = probe.send(b"a=1&b=2", {"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, told["size"]) == (200, 7)


def test_a_chunked_body_arrives_with_its_true_length(probe: Probe) -> None:
    status, told = probe.send(pieces(5), UPLOAD)
    assert (status, told["sha256"]) == (200, digest(5))
    assert told["headers"]["content-length"] == str(5 * MEGABYTE)
    assert "transfer-encoding" not in told["headers"]


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_an_upload_over_the_limit_is_not_kept_and_the_application_is_told(probe: Probe, declared: bool) -> None:
    size = (LIMIT_MB + 2) * MEGABYTE
    length = {"Content-Length": str(size)} if declared else {}
    status, told = probe.send(pieces(LIMIT_MB + 2), {**UPLOAD, **length})
    limit = (LIMIT_MB + 1) * MEGABYTE
    assert status == 200
    assert told["extensions"] == {"tools.body_discarded": {"reason": "too_large", "size": size, "limit": limit}}
    assert (told["size"], told["headers"]["content-length"]) == (0, "0")


def test_a_document_over_its_limit_is_refused_by_the_server(probe: Probe) -> None:
    status, told = probe.send(pieces(17), {"Content-Type": "application/json", "Content-Length": str(17 * MEGABYTE)})
    assert (status, told["code"]) == (413, "too_large")


def test_such_a_refusal_is_worded_as_the_api_words_it_that_was_called(probe: Probe) -> None:
    told = {"Content-Type": "application/json", "Content-Length": str(17 * MEGABYTE)}
    status, answer = probe.send(pieces(17), told, "/v1/modules/scaiecho/tenant-policy")
    assert (status, answer["error"]["code"]) == (413, "SCAIECHO_TOO_LARGE")
    status, answer = probe.send(pieces(17), told, "/v1/realtime/client_secrets")
    assert (status, answer["error"]["code"]) == (413, "request_too_large")
    status, answer = probe.send(pieces(17), told, "/api/job/new")
    assert (status, answer["ErrorType"]) == (413, "INVALID_OPTION")


def test_a_disk_that_fills_up_in_the_application_is_an_answer(probe: Probe) -> None:
    status, told = probe.send(b"x", UPLOAD, "/full")
    assert (status, told["code"]) == (507, "disk_full")
    assert probe.send(b"x", UPLOAD)[0] == 200


def test_a_client_that_leaves_in_the_middle_leaves_no_file(probe: Probe) -> None:
    with socket.create_connection(("127.0.0.1", probe.port)) as client:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: {9 * MEGABYTE}\r\n\r\n"
        client.sendall(head.encode() + b"x" * MEGABYTE)
        wait_until(lambda: open_spools(probe), "the body is being written")
    wait_until(lambda: not open_spools(probe), "the file is closed")
    assert probe.send(b"x", UPLOAD)[0] == 200


def open_spools(probe: Probe) -> list[str]:
    folder = Path(f"/proc/{probe.pid}/fd")
    names = [os.readlink(one) for one in folder.iterdir() if one.is_symlink()]
    return [name for name in names if name.startswith(str(probe.tmp))]


def test_headers_without_end_are_refused(probe: Probe) -> None:
    with socket.create_connection(("127.0.0.1", probe.port)) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(200))
        )
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_a_web_socket_talks_both_ways(probe: Probe) -> None:
    async def talk() -> str:
        async with websockets.connect(f"ws://127.0.0.1:{probe.port}/ws") as client:
            await client.send("hello")
            return str(await client.recv())

    assert asyncio.run(talk()) == "hello"


def test_a_web_socket_message_over_the_limit_closes_only_that_socket(probe: Probe) -> None:
    async def talk() -> int:
        async with websockets.connect(f"ws://127.0.0.1:{probe.port}/ws") as client:
            await client.send("x" * MEGABYTE)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await client.recv()
            return closed.value.rcvd.code if closed.value.rcvd else 1009

    assert asyncio.run(talk()) in (1006, 1009)
    assert probe.send(b"x", UPLOAD)[0] == 200


def test_the_server_may_say_more_in_a_message_than_it_takes(probe: Probe) -> None:
    async def talk() -> tuple[int, str]:
        async with websockets.connect(f"ws://127.0.0.1:{probe.port}/ws", max_size=None) as client:
            await client.send("much")
            much = await client.recv()
            await client.send("hello")
            return len(much), str(await client.recv())

    assert asyncio.run(talk()) == (3 * MEGABYTE, "hello")


def test_500_web_sockets_are_open_at_once(probe: Probe) -> None:
    async def talk() -> set[str]:
        url = f"ws://127.0.0.1:{probe.port}/ws"
        clients = await asyncio.gather(*(websockets.connect(url, open_timeout=60) for _ in range(500)))
        await asyncio.gather(*(client.send(str(number)) for number, client in enumerate(clients)))
        answers = await asyncio.gather(*(client.recv() for client in clients))
        await asyncio.gather(*(client.close() for client in clients))
        return {str(answer) for answer in answers}

    assert len(asyncio.run(talk())) == 500


def test_a_disk_without_room_refuses_that_request_only(tmp_path: Path) -> None:
    process, probe = start(tmp_path, TOOLS_DISK_RESERVE_MB="99000000")
    status, told = probe.send(pieces(1), {**UPLOAD, "Content-Length": str(MEGABYTE)})
    assert (status, told["code"]) == (507, "disk_full")
    assert probe.send(b"small ones stay in memory", UPLOAD)[0] == 200
    process.terminate()
    assert process.wait(10) == 0


def test_a_body_that_can_not_be_written_refuses_that_request_only(tmp_path: Path) -> None:
    process, probe = start(tmp_path)
    resource.prlimit(probe.pid, resource.RLIMIT_FSIZE, (8 * MEGABYTE, 8 * MEGABYTE))
    status, told = probe.send(pieces(30), UPLOAD)
    assert (status, told["code"]) == (507, "disk_full")
    assert probe.send(pieces(2), UPLOAD)[0] == 200
    process.terminate()
    assert process.wait(10) == 0
