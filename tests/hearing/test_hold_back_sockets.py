"""The web process holds sockets back on both sides: who doesn't read, and who sends more than is taken, costs no memory."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.hearing.frames import TEXT, handshake, masked
from tests.serve.test_hold_back import resident_mb
from tests.serve.test_receive_bodies import MEGABYTE, Probe, start

pytestmark = pytest.mark.serve
FLOOD = 400
PIECE = masked(TEXT, b"x" * (200 << 10))


@pytest.fixture
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    process, probe = start(tmp_path_factory.mktemp("web"))
    yield probe
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture
def client(probe: Probe) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", probe.port), timeout=3) as line:
        line.sendall(handshake("/socket"))
        assert line.recv(4096).startswith(b"HTTP/1.1 101")
        yield line


def test_a_client_that_does_not_read_gets_no_more_until_it_does(probe: Probe, client: socket.socket) -> None:
    before = resident_mb(probe)
    for _ in range(50):
        client.sendall(masked(TEXT, b"much"))
    with pytest.raises(TimeoutError):
        _flood(client)
    assert resident_mb(probe) - before < 60, "fifty times three megabytes were asked for, and eighty were sent"
    received = 0
    while received < 50 * 3 * MEGABYTE:
        received += len(client.recv(MEGABYTE))
    assert resident_mb(probe) - before < 60


def test_a_client_that_reads_is_never_held_back(probe: Probe, client: socket.socket) -> None:
    for number in range(300):
        client.sendall(masked(TEXT, b"%d" % number))
        assert client.recv(64).endswith(b"%d" % number)


def _flood(client: socket.socket) -> None:
    for _ in range(FLOOD):
        client.sendall(PIECE)
