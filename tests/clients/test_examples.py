"""Every example does what it says against a whole server, with a token of the sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools_whisper import Client

from tests.clients import npm
from tests.clients.conftest import EXAMPLES, SAMPLE, Hook, environment

pytestmark = pytest.mark.serve
MADE_UP = "This is sentence 1"


@pytest.fixture
def variables(url: str, token: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, TOOLS_WHISPER_URL=url, TOOLS_WHISPER_TOKEN=token)


def program(name: str) -> list[str]:
    kind = Path(name).suffix
    found = {".py": sys.executable, ".mjs": shutil.which("node"), ".sh": shutil.which("bash")}[kind]
    assert found, "Node.js is not installed. On Debian: apt install nodejs"
    return [found, str(EXAMPLES / name)]


def printed(words: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(words, env=variables, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recording(folder: Path) -> str:
    return str(shutil.copy(SAMPLE, folder / "talk.mp3"))


@pytest.mark.parametrize("name", ["curl/native.sh", "javascript/native.mjs"])
def test_captions_are_printed(name: str, variables: dict[str, str], hook: Hook) -> None:
    told = printed([*program(name), str(SAMPLE), hook.url], variables)
    assert "-->" in told and MADE_UP in told


def test_the_python_client_writes_captions_beside_the_recording(
    variables: dict[str, str], hook: Hook, tmp_path: Path
) -> None:
    told = printed([*program("python/native.py"), recording(tmp_path), hook.url], variables)
    assert MADE_UP in told and "is shared at http" in told
    assert "-->" in (tmp_path / "talk.srt").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("curl/verbit.sh", "{}", "0"),
        ("python/verbit_api.py", "{}", "0"),
        ("curl/camb.sh", "{}"),
        ("python/camb_api.py", "{}"),
        ("curl/asr.sh", "{}"),
        ("curl/openai.sh", "{}"),
        ("python/openai_api.py", "{}"),
    ],
    ids=lambda words: str(words[0]),
)
def test_what_was_written_for_another_server_works_with_this_one(
    words: tuple[str, ...], variables: dict[str, str]
) -> None:
    name, *rest = (word.format(SAMPLE) for word in words)
    assert MADE_UP in printed([*program(name), *rest], variables)


def test_the_client_of_openai_for_node_works_with_this_server(variables: dict[str, str], tmp_path: Path) -> None:
    # Node.js looks for packages beside the program.
    shutil.copy(EXAMPLES / "javascript" / "openai.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(npm.fetched() / "node_modules")
    node = program("javascript/openai.mjs")[0]
    told = printed([node, str(tmp_path / "openai.mjs"), str(SAMPLE)], variables)
    assert told.count(MADE_UP) == 3 and "-->" in told
    assert "Refused: response_format: " in told


@contextlib.contextmanager
def receiving(words: list[str], variables: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A receiver that is ready: its address, and the process."""
    with subprocess.Popen([*words, "0"], env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("name", ["python/receive_callbacks.py", "javascript/receive-callbacks.mjs"])
def test_a_receiver_takes_genuine_callbacks_only(
    name: str, variables: dict[str, str], made: dict[str, str], client: Client
) -> None:
    given = {**variables, "TOOLS_WHISPER_SECRET": made["webhook_secret"], "PYTHONUNBUFFERED": "1"}
    with receiving(program(name), given) as (address, process):
        # One with nothing in it, one with a signature that is none.
        forged = ["-H", "webhook-id: a", "-H", "webhook-timestamp: 1", "-H", "webhook-signature: v1,a"]
        for more in ([], forged):
            asked = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-d", "{}", *more, address]
            assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "401"
        job = client.submit("https://example.com/talk.mp3", callback_url=address)
        assert process.stdout is not None
        assert re.fullmatch(rf"whisper\.job\.completed {job.id} completed", process.stdout.readline().strip())
