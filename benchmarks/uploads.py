"""How much the web process grows while 2 GB are uploaded: as a form, in one piece by tus, and by tus cut at 60 %.

Growth is the kernel's high-water mark of resident memory (VmHWM) less what the process had before; each on a fresh server.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figure import Line, Options, at_most, exactly, told, wait_until
from benchmarks.server import Server

TITLE = "Memory of the web process while 2 GB arrive"
MB = 1 << 20
FULL_MB, QUICK_MB = 2048, 256
MOST_GROWTH_MB = 64.0
BLOCK = bytes(range(256)) * (MB // 256)
TIMEOUT_SECONDS = 900.0
UPLOADS, JOBS = "/api/whisper/uploads/", "/api/whisper/jobs"
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
EDGE = "bench"
HEAD = (
    f'--{EDGE}\r\nContent-Disposition: form-data; name="media_file"; filename="large.wav"\r\n'
    "Content-Type: audio/wav\r\n\r\n"
).encode()
TAIL = f"\r\n--{EDGE}--\r\n".encode()


@dataclass(frozen=True)
class Client:
    server: Server

    def ask(self, method: str, path: str, body: Any = b"", **headers: str) -> http.client.HTTPResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = {"Authorization": f"Bearer {self.server.admin.token()}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, {**signed, **given})
            answer = connection.getresponse()
            text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return answer

    def begin(self, megabytes: int) -> str:
        name = base64.b64encode(b"large.wav").decode()
        created = self.ask(
            "POST", UPLOADS, **TUS, Upload_Length=str(megabytes * MB), Upload_Metadata=f"filename {name}"
        )
        return str(created.headers["Location"])

    def send(self, path: str, megabytes: int, *, offset_mb: int = 0) -> None:
        length, offset = str(megabytes * MB), str(offset_mb * MB)
        self.ask("PATCH", path, content(megabytes), **TUS, Content_Length=length, Upload_Offset=offset)

    def offset_mb(self, path: str) -> int:
        return int(self.ask("HEAD", path, **TUS).headers["Upload-Offset"]) // MB

    def send_part_of(self, path: str, megabytes: int, *, announced: int) -> None:
        """Leaves in the middle of the body."""
        signed = {**TUS, "Authorization": f"Bearer {self.server.admin.token()}", "Upload-Offset": "0"}
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=TIMEOUT_SECONDS) as connection:
            size = f"Content-Length: {announced * MB}\r\n"
            connection.sendall(f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\n{head}{size}\r\n".encode())
            for block in content(megabytes):
                connection.sendall(block)

    def submit(self, path: str) -> None:
        body = json.dumps({"upload_id": path.rpartition("/")[2], "model": "clockwork"})
        self.ask("POST", JOBS, body, Content_Type="application/json")


def content(megabytes: int) -> Iterator[bytes]:
    return (BLOCK for _ in range(megabytes))


def measure(options: Options) -> list[Line]:
    megabytes = QUICK_MB if options.quick else FULL_MB
    lines = [
        line
        for name, way in (("multipart", by_form), ("tus, one PATCH", by_tus), ("tus, cut at 60 %", by_tus_cut))
        for line in _measure(options.folder / way.__name__, name, way, megabytes)
    ]
    return [*lines, told("length of the file", f"{megabytes} MB")]


def _measure(folder: Path, name: str, way: Callable[[Client, int], None], megabytes: int) -> list[Line]:
    with Server(folder) as server:
        client = Client(server)
        client.ask("GET", JOBS)
        web = server.pids()["web"]
        before = psutil.Process(web).memory_info().rss / MB
        began = time.monotonic()
        way(client, megabytes)
        seconds = time.monotonic() - began
        growth = _peak_mb(web) - before
        (stored,) = server.rows("SELECT source_sha256 FROM whisper_job")
    spread = f"{before:.0f} MB before, {megabytes / seconds:.0f} MB/s"
    return [
        at_most(f"{name}: growth of the web process", MOST_GROWTH_MB, [growth], spread=spread, unit=" MB"),
        exactly(f"{name}: the job has the file's SHA-256", True, stored[0] == _hash_of(megabytes)),
    ]


def by_form(client: Client, megabytes: int) -> None:
    def body() -> Iterator[bytes]:
        yield HEAD
        yield from content(megabytes)
        yield TAIL

    length = str(len(HEAD) + megabytes * MB + len(TAIL))
    client.ask("POST", JOBS, body(), Content_Type=f"multipart/form-data; boundary={EDGE}", Content_Length=length)


def by_tus(client: Client, megabytes: int) -> None:
    path = client.begin(megabytes)
    client.send(path, megabytes)
    client.submit(path)


def by_tus_cut(client: Client, megabytes: int) -> None:
    path, cut = client.begin(megabytes), megabytes * 6 // 10
    client.send_part_of(path, cut, announced=megabytes)
    wait_until(lambda: client.offset_mb(path) == cut, "what was sent counts", seconds=60)
    client.send(path, megabytes - cut, offset_mb=cut)
    client.submit(path)


def _hash_of(megabytes: int) -> str:
    digest = hashlib.sha256()
    for block in content(megabytes):
        digest.update(block)
    return digest.hexdigest()


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
