"""Uploads over real connections that break, stall and are refused: what has arrived counts."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import json
import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, RunningServer
from tests.uploads.conftest import PIECE, UPLOADS, checksum, encoded

pytestmark = pytest.mark.serve
MEGABYTE = 1 << 20
SOUND = bytes(range(256)) * 4096 * 10
CUT = len(SOUND) * 6 // 10
Told = tuple[int, dict[str, str], Any]


class Client:
    """Signed in as the admin of a server. Sends what a real client would, and stops where it is told to."""

    def __init__(self, port: int) -> None:
        self.port = port
        _status, _headers, told = self.ask(
            "POST", "/api/account/login", json.dumps({"email": ADMIN[0], "password": ADMIN[1]}), kind="application/json"
        )
        self.token = told["access"]

    def ask(self, method: str, path: str, body: Any = b"", *, kind: str = PIECE, **headers: str) -> Told:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, {**self.headers(**headers), "Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, dict(answer.getheaders()), json.loads(text) if text else None

    def headers(self, **more: str) -> dict[str, str]:
        signed = {"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        return {"Tus-Resumable": "1.0.0", **signed, **{name.replace("_", "-"): value for name, value in more.items()}}

    def begin(self, length: int = len(SOUND)) -> str:
        metadata = encoded(filename="cut.wav", filetype="audio/wav")
        status, headers, _told = self.ask("POST", UPLOADS, Upload_Length=str(length), Upload_Metadata=metadata)
        assert status == 201
        return headers["Location"]

    def offset(self, path: str) -> int:
        status, headers, _told = self.ask("HEAD", path)
        assert status == 200
        return int(headers["Upload-Offset"])

    def send(self, path: str, content: bytes, offset: int, **headers: str) -> Told:
        return self.ask("PATCH", path, content, Upload_Offset=str(offset), **headers)

    def open(self, path: str, body: bytes, **headers: str) -> socket.socket:
        """A connection on which so much of a PATCH has been sent."""
        given = self.headers(
            **{"Content_Type": PIECE, "Content_Length": str(len(SOUND)), "Upload_Offset": "0", **headers}
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode() + body)
        return connection

    def submit(self, path: str) -> dict[str, Any]:
        asked = json.dumps({"upload_id": path.rpartition("/")[2]})
        status, _headers, told = self.ask("POST", "/api/whisper/jobs", asked, kind="application/json")
        assert status == 201, told
        return dict(told["job"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path_factory.mktemp("cut") / "data", TOOLS_UPLOAD_MAX_MB="64")
    server.wait_ready()
    yield server
    server.end()


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Client:
    return Client(server.port)


def hash_of(server: RunningServer, job: dict[str, Any]) -> str:
    address = f"file:{server.folder / 'db.sqlite3'}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
        found = database.execute("SELECT source_sha256 FROM whisper_job WHERE id = ?", [job["id"]]).fetchone()
        return str(found[0])


def read_until_closed(connection: socket.socket) -> bytes:
    told = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            told += piece
    return told


def test_a_connection_cut_at_60_percent_keeps_them(server: RunningServer, client: Client) -> None:
    path = client.begin()
    client.open(path, SOUND[:CUT]).close()
    assert client.offset(path) == CUT
    assert client.send(path, SOUND[CUT:], CUT)[0] == 204
    assert hash_of(server, client.submit(path)) == hashlib.sha256(SOUND).hexdigest()


def test_a_connection_that_hangs_does_not_keep_its_bytes_to_itself(client: Client) -> None:
    path = client.begin()
    with client.open(path, SOUND[:CUT]) as hanging:
        wait_until(lambda: client.offset(path) == CUT, "what was sent counts", seconds=10)
        assert client.send(path, SOUND[CUT:], CUT)[0] == 204
        hanging.sendall(SOUND[CUT:])
        assert hanging.recv(100).startswith((b"HTTP/1.1 409", b"HTTP/1.1 413"))


def test_a_reset_connection_can_be_gone_on_with(client: Client) -> None:
    path = client.begin()
    connection = client.open(path, SOUND[:CUT])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    offset = client.offset(path)
    assert 0 <= offset <= CUT
    assert client.send(path, SOUND[offset:], offset)[1]["Upload-Offset"] == str(len(SOUND))


def test_a_body_without_a_length_arrives_too(client: Client) -> None:
    path = client.begin()
    pieces = iter([SOUND[start : start + MEGABYTE] for start in range(0, len(SOUND), MEGABYTE)])
    status, headers, _told = client.ask("PATCH", path, pieces, Upload_Offset="0")
    assert (status, headers["Upload-Offset"]) == (204, str(len(SOUND)))


def test_a_small_piece_that_is_cut_counts_too(client: Client) -> None:
    path = client.begin(1000)
    client.open(path, SOUND[:600], Content_Length="1000").close()
    assert client.offset(path) == 600


def test_half_a_body_with_a_checksum_does_not_count(client: Client) -> None:
    path = client.begin()
    client.open(path, SOUND[:CUT], Upload_Checksum=checksum("sha256", SOUND)).close()
    assert client.offset(path) == 0
    assert client.send(path, SOUND, 0, Upload_Checksum=checksum("sha256", SOUND))[0] == 204


def test_a_wrong_checksum_of_a_large_body_keeps_nothing(client: Client) -> None:
    path = client.begin()
    assert client.send(path, SOUND, 0, Upload_Checksum=checksum("sha256", b"other"))[0] == 460
    assert client.offset(path) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer tw_wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Tus_Resumable": "9.9.9"}, 412),
        ({"Upload_Offset": "17"}, 409),
        ({"Upload_Offset": "x"}, 400),
        ({"Content_Length": str(len(SOUND) + 1)}, 413),
        ({"Content_Length": str(1 << 50)}, 413),
        ({"Upload_Checksum": "md5 AAAA"}, 400),
    ],
)
def test_what_is_wrong_with_the_headers_is_told_before_the_body(
    client: Client, headers: dict[str, str], status: int
) -> None:
    path = client.begin()
    with client.open(path, b"", **headers) as connection:
        told = connection.recv(65_536)
    assert told.startswith(b"HTTP/1.1 %d" % status), told
    assert b"connection: close" in told.lower()
    assert b'"ok":false' in told.replace(b" ", b"")
    assert client.offset(path) == 0


def test_a_refused_body_is_no_next_request(client: Client) -> None:
    path = client.begin()
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50
    with client.open(path, b"", Authorization="Bearer tw_wrong") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401")
        connection.sendall(smuggled)
        assert read_until_closed(connection) == b""


def test_a_refused_client_may_finish_and_is_then_hung_up(client: Client) -> None:
    path = client.begin()
    with client.open(path, SOUND, Authorization="Bearer tw_wrong", Connection="close") as connection:
        told = read_until_closed(connection)
    assert len(re.findall(rb"HTTP/1\.1 \d+", told)) == 1
    assert told.startswith(b"HTTP/1.1 401")


def test_a_token_that_ends_while_a_body_comes_is_good_to_its_end(server: RunningServer, client: Client) -> None:
    token = new_token(server)
    path = client.begin()
    with client.open(path, SOUND[:CUT], Authorization=f"Bearer {token}", Connection="close") as connection:
        wait_until(lambda: client.offset(path) == CUT, "the first part is in storage")
        with contextlib.closing(sqlite3.connect(server.folder / "db.sqlite3", timeout=30)) as database, database:
            database.execute("UPDATE accounts_personaltoken SET revoked_at = created_at")
        connection.sendall(SOUND[CUT:])
        assert read_until_closed(connection).startswith(b"HTTP/1.1 204")
    with client.open(path, b"", Authorization=f"Bearer {token}") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


def new_token(server: RunningServer) -> str:
    made = server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api")
    found = re.search(r"tw_[\w-]+", made)
    assert found, made
    return found[0]


def test_two_at_once_do_not_mix(server: RunningServer, client: Client) -> None:
    path = client.begin()
    answers: list[int] = []
    sending = [threading.Thread(target=lambda: answers.append(client.send(path, SOUND, 0)[0])) for _ in range(3)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join()
    assert answers.count(204) == 1
    assert set(answers) <= {204, 409, 413}
    assert hash_of(server, client.submit(path)) == hashlib.sha256(SOUND).hexdigest()


def test_an_upload_that_is_ended_meanwhile_is_gone(client: Client) -> None:
    path = client.begin()
    with client.open(path, SOUND[:CUT]) as connection:
        assert client.ask("DELETE", path)[0] == 204
        connection.sendall(SOUND[CUT:])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404")


def test_nothing_stays_in_the_temporary_folder(server: RunningServer) -> None:
    wait_until(lambda: not list((server.folder / "tmp").iterdir()), "it is empty")


def test_a_web_process_that_is_killed_costs_no_more_than_the_last_seconds(
    server: RunningServer, client: Client
) -> None:
    path = client.begin()
    with client.open(path, SOUND[:CUT]) as connection:
        wait_until(lambda: client.offset(path) == CUT, "it is in storage")
        connection.sendall(SOUND[CUT : CUT + 1000])
        killed = server.pid_of("web")
        os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.pid_of("web") != killed and server.is_ready(), "the web process is back", seconds=30)
    offset = client.offset(path)
    assert offset >= CUT
    assert client.send(path, SOUND[offset:], offset)[0] == 204
    assert hash_of(server, client.submit(path)) == hashlib.sha256(SOUND).hexdigest()


def test_a_server_that_stops_keeps_what_had_come(tmp_path: Path) -> None:
    first = RunningServer(tmp_path / "data")
    first.wait_ready()
    path = Client(first.port).begin()
    with Client(first.port).open(path, SOUND[:CUT]):
        # The last bytes may still be in the buffer of the open file.
        wait_until(lambda: spooled(first) >= CUT - io.DEFAULT_BUFFER_SIZE, "it has arrived")
        first.end()
    again = RunningServer(tmp_path / "data")
    try:
        again.wait_ready()
        assert Client(again.port).offset(path) == CUT
    finally:
        again.end()


def spooled(server: RunningServer) -> int:
    """Bytes in the open files of the web process below its temporary folder."""
    folder = Path(f"/proc/{server.pid_of('web')}/fd")
    found = 0
    for one in folder.iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(one).startswith(str(server.folder / "tmp")):
                found += one.stat().st_size
    return found
