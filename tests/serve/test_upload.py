"""An upload through a whole server: what is over the limit is answered by the API in its own words."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.serve.servers import ADMIN, RunningServer

pytestmark = pytest.mark.serve
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path_factory.mktemp("upload") / "data", TOOLS_UPLOAD_MAX_MB="3")
    server.wait_ready()
    yield server
    server.end()


def post(server: RunningServer, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    asked = json.dumps({"email": ADMIN[0], "password": ADMIN[1]})
    status, told = post(server, "/api/account/login", asked, {"Content-Type": "application/json"})
    assert status == 200
    return str(told["access"])


def form(megabytes: int) -> bytes:
    head = (
        b'--x\r\nContent-Disposition: form-data; name="media_file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    )
    return head + b"\0" * megabytes * MEGABYTE + b"\r\n--x--\r\n"


def upload(server: RunningServer, token: str, body: Any) -> tuple[int, dict[str, Any]]:
    kind = "multipart/form-data; boundary=x"
    return post(server, "/api/whisper/jobs", body, {"Authorization": f"Bearer {token}", "Content-Type": kind})


@pytest.mark.parametrize("megabytes", [4, 9], ids=["a little over", "not even kept"])
def test_an_upload_over_the_limit_is_a_422_that_says_so(server: RunningServer, token: str, megabytes: int) -> None:
    status, told = upload(server, token, form(megabytes))
    assert (status, told["ok"], told["code"]) == (422, False, "source_too_large")
    assert "3 MB" in told["errors"]["media_file"][0]


def test_a_chunked_upload_over_the_limit_is_a_422_too(server: RunningServer, token: str) -> None:
    status, told = upload(server, token, iter([form(9)]))
    assert (status, told["code"]) == (422, "source_too_large")


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_under_the_limit_becomes_a_job(server: RunningServer, token: str, chunked: bool) -> None:
    status, told = upload(server, token, iter([form(2)]) if chunked else form(2))
    assert (status, told["ok"]) in ((201, True), (202, True), (200, True)), told
    assert told["job"]["source_size_bytes"] == 2 * MEGABYTE


def test_nothing_of_an_upload_stays_in_the_temporary_folder(server: RunningServer, token: str) -> None:
    upload(server, token, form(9))
    upload(server, token, form(2))
    assert list((server.folder / "tmp").iterdir()) == []
