"""A whole server against what a fuzzer makes of each description: no fault, and no answer in other words than the API's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, RunningServer

# Beside others, on a busy machine, more than the servers of other tests are given.
pytestmark = [pytest.mark.serve, pytest.mark.timeout(400)]
HERE = Path(__file__).parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
KEYS = {
    "openai": "Authorization: Bearer {}",
    "verbit": "Authorization: ApiToken {}",
    "camb": "x-api-key: {}",
    "asr": "Authorization: Bearer {}",
}
SECONDS = 300


@pytest.fixture(scope="module")
def key(renewed_server: RunningServer) -> str:
    """Of the sandbox, where every job ends at once."""
    told = renewed_server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api", "--sandbox")
    return str(json.loads(told)["token"])


@pytest.fixture(scope="module")
def numbers(renewed_server: RunningServer, key: str) -> dict[str, Any]:
    """What there is to ask for, by the names that stand for it in the descriptions."""
    address = f"http://127.0.0.1:{renewed_server.port}"
    with httpx.Client(base_url=address, headers={"x-api-key": key}) as camb:
        told = {"language": "1", "media_url": "https://example.com/a.mp3"}
        task = f"/apis/transcribe/{camb.post('/apis/transcribe', data=told).json()['task_id']}"
        wait_until(lambda: camb.get(task).json()["run_id"], "the task has a run", seconds=60)
        run = camb.get(task).json()["run_id"]
    order = httpx.post(f"{address}/api/job/new", params={"v": 4, "api_token": key}, data={"profile": "automatic"})
    return {"TASK_ID": task.rpartition("/")[2], "RUN_ID": run, "ORDER_ID": order.json()["job_id"]}


def described(api: str, numbers: dict[str, Any], folder: Path) -> str:
    """The file with a description."""
    text = (HERE / f"{api}.yaml").read_text()
    for name, number in numbers.items():
        text = text.replace(name, str(number))
    (folder / "description.yaml").write_text(text)
    return str(folder / "description.yaml")


@pytest.mark.parametrize("api", KEYS)
def test_whatever_is_sent_is_answered_in_the_api_s_own_words(
    renewed_server: RunningServer, key: str, numbers: dict[str, Any], tmp_path: Path, api: str
) -> None:
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", described(api, numbers, tmp_path)),
        *("--url", f"http://127.0.0.1:{renewed_server.port}", "--header", KEYS[api].format(key), "--checks", CHECKS),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "20", "--generation-deterministic"),
        *("--no-shrink", "--continue-on-failure", "--warnings", "off", "--no-color", "--suppress-health-check", "all"),
    ]
    environment = {**os.environ, "PYTHONWARNINGS": ""}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert told.returncode == 0, told.stdout + told.stderr
