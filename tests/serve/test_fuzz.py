"""A whole server against what a fuzzer makes of its own description: no fault, no answer that the description doesn't have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.servers import ADMIN, RunningServer, running_server

# Beside others, on a busy machine, more than the servers of other tests are given.
pytestmark = [pytest.mark.serve, pytest.mark.timeout(600)]

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
TOKEN_API = "^/api/whisper/transcribe"
#: The calls of one job are the same views in both APIs.
TOKEN_CALLS = f"{TOKEN_API}(/status|/jobs|/jobs/.job_id.)?$"
#: On a quiet machine each takes some twenty.
SECONDS = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("fuzz") / "data") as running:
        _hand_in(running)
        yield running


def _hand_in(server: RunningServer) -> None:
    """Job 1, which the fuzzer tries: the description says that ids begin there."""
    body = {"source_url": "https://example.com/a.mp3", "callback_url": "https://example.com/hook"}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_token(server)}"}
    asked = urllib.request.Request(f"{_address(server)}/api/whisper/transcribe", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked) as answer:
        assert json.load(answer)["job"]["id"] == 1


def _access(server: RunningServer) -> str:
    body = json.dumps({"email": ADMIN[0], "password": ADMIN[1]}).encode()
    asked = urllib.request.Request(f"{_address(server)}/api/account/login", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        return str(json.load(answer)["access"])


def _token(server: RunningServer) -> str:
    told = server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api")
    return str(json.loads(told)["token"])


def _address(server: RunningServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def _fuzz(server: RunningServer, folder: Path, token: str, *which: str) -> Any:
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", f"{_address(server)}/api/schema", *which),
        *("--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", "4", "--seed", "20", "--generation-deterministic", "--no-shrink", "--continue-on-failure"),
        *("--warnings", "off", "--no-color", "--suppress-health-check", "all"),
    ]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONWARNINGS": ""}, capture_output=True, text=True, timeout=SECONDS
    )


def test_what_a_signed_in_program_sends(server: RunningServer, tmp_path: Path) -> None:
    told = _fuzz(server, tmp_path, _access(server), "--exclude-path-regex", TOKEN_API)
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_a_program_with_a_token_sends(server: RunningServer, tmp_path: Path) -> None:
    told = _fuzz(server, tmp_path, _token(server), "--include-path-regex", TOKEN_CALLS)
    assert told.returncode == 0, told.stdout + told.stderr
