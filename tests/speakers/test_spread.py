"""A whole server: a voice is spread over its workers by the broker, and is nowhere any more once it is erased."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, RunningServer, running_server
from tests.speakers.sounds import CONSENT, said, wav

pytestmark = [pytest.mark.serve, pytest.mark.timeout(240)]
BASE = "/v1/modules/scaiecho/speakers"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("spread") / "data"
    with running_server(folder, TOOLS_SPEECH_WORKERS="2", TOOLS_LIVE_WORKERS="0") as running:
        yield running


@pytest.fixture
def call(server: RunningServer) -> Any:
    address = f"http://127.0.0.1:{server.port}"
    told = {"email": ADMIN[0], "password": ADMIN[1]}
    access = requests.post(f"{address}/api/account/login", json=told, timeout=30).json()["access"]

    def send(method: str, path: str = "", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {access}"}
        response = requests.request(method, f"{address}{BASE}{path}", headers=headers, timeout=120, **body)
        assert response.ok, response.text
        return response.json()["data"]

    return send


def enrolled(call: Any, name: str, purpose: str) -> Any:
    fields = {"display_name": name, "language_primary": "en", "consent_user_full_name": name, "consent_text": CONSENT}
    files = {"reference": wav(said("slt")), "consent": wav(said("slt", CONSENT))}
    return call("POST", data={**fields, "consent_stated_purpose": purpose}, files=files)


def held(folder: Path) -> bytes:
    """All that is in the data folder, whatever the file."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def test_every_worker_holds_a_voice_and_lets_it_go_when_it_is_erased(server: RunningServer, call: Any) -> None:
    told = enrolled(call, "Ada Unforgettable", "To be remembered for good")
    path = f"/{told['speaker_id']}"
    assert len(told["enrolled_on"]) == 2, told
    sound = wav(said("slt"))[44:]
    assert sound[20_000:21_000] in held(server.folder) and b"Unforgettable" in held(server.folder)
    receipt = call("DELETE", path)
    assert (receipt["blobs_deleted"], receipt["replicas_evicted"], receipt["replicas_pending"]) == (2, 2, [])
    left = held(server.folder)
    for trace in (sound[20_000:21_000], b"Unforgettable", b"remembered for good"):
        assert trace not in left


def test_a_worker_that_dies_is_no_node_and_its_successor_is_one(server: RunningServer, call: Any) -> None:
    speaker_id = enrolled(call, "Bea", "Minutes")["speaker_id"]
    before = set(call("GET", f"/{speaker_id}/warm")["enrolled_on"])
    victim = server.pid_of("worker-speech-1")
    psutil.Process(victim).kill()

    def is_replaced() -> bool:
        nodes = set(call("GET", f"/{speaker_id}/warm")["candidates"])
        return len(nodes) == 2 and nodes != before

    wait_until(is_replaced, "two nodes again", seconds=60)
    # A busy machine may take longer from showing a worker to having it listen than a request waits.
    wait_until(lambda: len(call("POST", f"/{speaker_id}/warm")["enrolled_on"]) == 2, "both hold it", seconds=60)
    told = call("GET", f"/{speaker_id}/warm")
    assert set(told["enrolled_on"]) == set(told["candidates"]) != before
    assert not [node for node in told["enrolled_on"] if re.search(rf":{victim}:", node)]
    assert call("DELETE", f"/{speaker_id}")["replicas_pending"] == []
