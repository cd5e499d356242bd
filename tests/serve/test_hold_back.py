"""Long answers wait for clients that read slowly, instead of piling up in the web process."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from config import pressure
from tests.serve.test_receive_bodies import MEGABYTE, Probe, start

pytestmark = pytest.mark.serve
GIVEN_MB = 192


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    process, probe = start(tmp_path_factory.mktemp("web"))
    yield probe
    process.terminate()
    assert process.wait(10) == 0


def resident_mb(probe: Probe) -> float:
    return float(psutil.Process(probe.pid).memory_info().rss / MEGABYTE)


def asking(probe: Probe, megabytes: int = GIVEN_MB) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", probe.port), timeout=60)
    client.sendall(b"GET /give/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % megabytes)
    return client


def test_who_does_not_read_fills_no_memory_and_gets_all_of_it_later(probe: Probe) -> None:
    before = resident_mb(probe)
    with asking(probe) as client:
        time.sleep(2)
        assert resident_mb(probe) - before < 32
        received = 0
        while received < GIVEN_MB * MEGABYTE and (piece := client.recv(MEGABYTE)):
            received += len(piece)
        assert received >= GIVEN_MB * MEGABYTE
    assert resident_mb(probe) - before < 32


def test_who_leaves_is_waited_for_no_longer(probe: Probe) -> None:
    for _ in range(5):
        asking(probe).close()
    with asking(probe, 5) as client:
        received = 0
        while received < 5 * MEGABYTE:
            received += len(client.recv(MEGABYTE))
    assert len(psutil.Process(probe.pid).net_connections()) <= 2


def test_two_long_answers_on_one_connection_come_whole(probe: Probe) -> None:
    with probe.connect() as connection:
        for _ in range(2):
            connection.request("GET", "/give/8")
            assert len(connection.getresponse().read()) == 8 * MEGABYTE


def test_only_what_is_told_to_be_long_is_held_back() -> None:
    assert pressure.is_long([(b"Content-Length", b"5000000")])
    assert not pressure.is_long([(b"content-length", b"5000")])
    assert not pressure.is_long([(b"content-type", b"text/html")])
