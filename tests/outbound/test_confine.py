"""A confined process: whatever library runs in it reaches admitted addresses only. Each test is such a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.outbound.site import Site, running

ROOT = Path(__file__).resolve().parents[2]
CONFINED = """
import ipaddress, sys
from whisper_jobs.outbound import Guard
refused = []
Guard((ipaddress.ip_network("127.0.0.1/32"),)).confine(refused.append)
port, inner = int(sys.argv[1]), int(sys.argv[2])
"""


def confined(code: str, site: Site, inner: Site) -> str:
    """Run `code` confined to 127.0.0.1 and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", CONFINED + code, str(site.server_port), str(inner.server_port)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def inner() -> object:
    with running(Site("127.0.0.2")) as server:
        server.serve("/", b"secret")
        yield server


CLIENTS = {
    "urllib": "import urllib.request; get = lambda u: urllib.request.urlopen(u).read()",
    "requests": "import requests; get = lambda u: requests.get(u).content",
    "httpx2": "import httpx2; get = lambda u: httpx2.get(u).content",
    "asyncio": (
        "import asyncio, urllib.parse\n"
        "async def open(u):\n"
        "    r, w = await asyncio.open_connection(*urllib.parse.urlsplit(u).netloc.split(':'))\n"
        "    w.write(b'GET / HTTP/1.0\\r\\n\\r\\n'); data = await r.read(); w.close(); return data\n"
        "get = lambda u: asyncio.run(open(u))"
    ),
    "bare sockets": (
        "import _socket, urllib.parse\n"
        "def get(u):\n"
        "    host, port = urllib.parse.urlsplit(u).netloc.split(':')\n"
        "    s = _socket.socket(); s.connect((host, int(port)))\n"
        "    s.send(b'GET / HTTP/1.0\\r\\n\\r\\n'); return s.recv(9999) + s.recv(9999)"
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reaches_the_admitted_address_and_no_other(client: str, site: Site, inner: Site) -> None:
    site.serve("/", b"welcome")
    code = f"""
{CLIENTS[client]}
assert b"welcome" in get(f"http://127.0.0.1:{{port}}/")
for address in ("127.0.0.2", "127.2" if {client!r} not in ("bare sockets",) else "127.0.0.2"):
    try:
        print("reached", get(f"http://{{address}}:{{inner}}/"))
    except Exception as error:
        assert refused, error
print(len(refused), "refused")
"""
    assert confined(code, site, inner) == "2 refused"
    assert inner.seen == []


def test_a_name_that_changes_its_address_is_caught_at_the_moment_of_connecting(site: Site, inner: Site) -> None:
    code = """
import socket, urllib.request
answers = [("127.0.0.1", port), ("127.0.0.2", inner)]
def rebinding(host, asked_port, *rest, **more):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", answers.pop(0))]
socket.getaddrinfo = rebinding
print(urllib.request.urlopen("http://rebind.example/").read().decode())
try:
    print(urllib.request.urlopen("http://rebind.example/").read())
except OSError as error:
    print(refused == [str(("127.0.0.2", inner))])
"""
    site.serve("/", b"first")
    assert confined(code, site, inner).split() == ["first", "True"]
    assert inner.seen == []


def test_datagrams_names_and_unix_sockets_are_refused(site: Site, inner: Site, tmp_path: Path) -> None:
    code = f"""
import os, socket
def tried(name, action):
    try:
        action()
        print(name, "went through")
    except PermissionError:
        pass
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
unix = socket.socket(socket.AF_UNIX)
tried("sendto", lambda: udp.sendto(b"x", ("10.0.0.1", 53)))
tried("sendto with flags", lambda: udp.sendto(b"x", 0, ("10.0.0.1", 53)))
tried("sendmsg", lambda: udp.sendmsg([b"x"], [], 0, ("10.0.0.1", 53)))
tried("connect_ex", lambda: udp.connect_ex(("10.0.0.1", 53)))
tried("mapped", lambda: udp6.connect(("::ffff:10.0.0.1", 53)))
tried("a name", lambda: udp.connect(("localhost", 53)))
tried("unix", lambda: unix.connect({str(tmp_path / "socket")!r}))
tried("abstract unix", lambda: unix.connect(b"\\0name"))
udp.sendto(b"x", ("127.0.0.1", 53))
print(len(refused))
"""
    assert confined(code, site, inner) == "8"


def test_no_other_program_can_be_started(site: Site, inner: Site) -> None:
    code = """
import os, subprocess
for start in (
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: os.execv("/bin/true", ["true"]),
):
    try:
        start()
        print("started")
    except PermissionError:
        print("refused")
"""
    assert confined(code, site, inner).split() == ["refused"] * 4
