"""Figure 11: 50 clients at once submit links as JSON, and as often call a view that inserts one row, on the embedded default.

In turns, so that both meet the same workers, busy with what was submitted. Each client keeps its connection and asks again as
soon as it is answered. The links lead to a server that takes its time: whoever downloads waits.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from benchmarks.figure import Line, Options, at_most, exactly, percentile, told
from benchmarks.server import Account, Server

TITLE = "Submit"
CLIENTS = 50
ROUNDS, QUICK_ROUNDS = 8, 2
PER_ROUND = 4
LIMIT = 2.5
SUBMIT, INSERT = "/api/whisper/jobs", "/bench/insert"
#: Of neither limit is this figure about.
FREE = {"TOOLS_API_PER_MINUTE": "1000000", "TOOLS_MAX_QUEUED_JOBS": "1000000"}


def measure(options: Options) -> list[Line]:
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    times: dict[str, list[float]] = {SUBMIT: [], INSERT: []}
    with (
        _slow_server() as link,
        Server(options.folder / "data", DJANGO_SETTINGS_MODULE="benchmarks.site", **FREE) as server,
    ):
        account = server.account("alice")
        for path in times:
            _round(account, path, link)
        for _ in range(rounds):
            for path, taken in times.items():
                taken += _round(account, path, link)
        stored = server.rows("SELECT count(*) FROM whisper_job")[0][0]
    submit, insert = (1000 * percentile(times[path], 0.95) for path in (SUBMIT, INSERT))
    return [
        at_most("p95 of submitting ÷ p95 of inserting a row", LIMIT, [submit / insert], spread=_spread(times)),
        told("submitting, p95", f"{submit:.0f} ms", f"{_per_second(times[SUBMIT]):.0f} a second"),
        told("inserting a row, p95", f"{insert:.0f} ms", f"{_per_second(times[INSERT]):.0f} a second"),
        exactly("jobs", (rounds + 1) * PER_ROUND * CLIENTS, stored),
    ]


def _spread(times: dict[str, list[float]]) -> str:
    submit, insert = (1000 * percentile(times[path], 0.5) for path in (SUBMIT, INSERT))
    return f"medians {submit:.0f} ms ÷ {insert:.0f} ms, {len(times[SUBMIT])} each"


def _per_second(taken: list[float]) -> float:
    """With so many clients that each wait for their answer."""
    return CLIENTS * len(taken) / sum(taken)


@contextlib.contextmanager
def _slow_server() -> Iterator[str]:
    """The link to a recording that never begins to arrive."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/talk.mp3"


def _round(account: Account, path: str, link: str) -> list[float]:
    """Seconds of each request of all clients."""
    start, headers = (
        Barrier(CLIENTS),
        {"Content-Type": "application/json", "Authorization": f"Bearer {account.token()}"},
    )
    body = json.dumps({"source_url": link, "source_label": "Talk", "language": "en"}).encode()
    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(_client, account.port, path, (body, headers), start) for _ in range(CLIENTS)]
        return [seconds for one in asked for seconds in one.result()]


def _client(port: int, path: str, sent: tuple[bytes, dict[str, str]], start: Barrier) -> list[float]:
    taken = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.connect()
        start.wait()
        for _ in range(PER_ROUND):
            began = time.perf_counter()
            connection.request("POST", path, *sent)
            answer = connection.getresponse()
            text = answer.read()
            taken.append(time.perf_counter() - began)
            if answer.status != 201:
                raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
    return taken
