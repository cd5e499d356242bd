"""The command line: what it prints, writes and ends with; a bar on a terminal; Ctrl-C leaves the job alone."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from tools_whisper import Client

from tests.clients.conftest import SAMPLE, Hook, Run, command
from tests.serve.ports import free_port, wait_until

pytestmark = pytest.mark.serve
SOURCE = "https://example.com/talk.mp3"


def test_a_file_is_handed_in_waited_for_and_written(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "talk.srt"
    told = run("submit", str(SAMPLE), "--title", "Two voices", "--wait", "-o", str(target))
    assert told.returncode == 0, told.stderr
    assert "-->" in target.read_text()
    assert "100 %  sending, two-voices.mp3" in told.stderr and told.stdout == ""


def test_ids_are_printed_and_what_they_are_of_can_be_read(run: Run, client: Client) -> None:
    told = run("submit", SOURCE, SOURCE + "?2", "--sandbox", "segments=3")
    first, second = (int(line) for line in told.stdout.split())
    assert client.wait(first).is_completed and client.wait(second).is_completed
    assert len(run("wait", str(first)).stdout.split()) > 3
    assert run("export", str(first), "--format", "vtt").stdout.startswith("WEBVTT")
    assert run("watch", str(first)).stdout.count("[0") == 3
    assert run("share", str(first)).stdout.startswith("http")
    lines = run("list", "--limit", "2").stdout.splitlines()
    assert [line.split("\t")[:2] for line in lines] == [[str(second), "completed"], [str(first), "completed"]]
    assert json.loads(run("--json", "show", str(first)).stdout)["id"] == first
    assert run("delete", str(second)).returncode == 0
    assert run("show", str(second)).returncode == 1


def test_a_failed_job_is_told_and_ends_with_one(run: Run) -> None:
    told = run("submit", SOURCE, "--wait", "--sandbox", "error=source_not_found")
    assert told.returncode == 1 and "nothing at this address" in told.stderr and told.stdout == ""


def test_refusals_have_a_sentence_and_a_status(run: Run, token: str) -> None:
    refused = run("submit", SOURCE, "--language", "Klingonese")
    assert refused.returncode == 1 and "language" in refused.stderr and "Traceback" not in refused.stderr
    assert run("list", TOOLS_WHISPER_TOKEN="tw_wrong").returncode == 3
    assert run("list", TOOLS_WHISPER_URL="").returncode == 1
    assert run("submit", "nowhere.mp3").stderr == "There is no file nowhere.mp3.\n"
    assert "--callback-url" in run("submit", SOURCE, TOOLS_WHISPER_CALLBACK_URL="").stderr
    assert run("dance").returncode == 2
    gone = run("list", TOOLS_WHISPER_URL=f"http://127.0.0.1:{free_port()}")
    assert gone.returncode == 4 and "no answer" in gone.stderr


def test_login_stores_what_it_was_told_for_this_user_alone(
    run: Run, url: str, token: str, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("login", "--url", url, "--callback-url", hook.url)
    stored = tmp_path / ".config" / "tools-whisper" / "config.toml"
    monkeypatch.setattr("sys.stdin", io.StringIO("tw_wrong\n"))
    assert run(*words).returncode == 3 and not stored.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    assert run(*words).returncode == 0
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    nothing = {"TOOLS_WHISPER_URL": "", "TOOLS_WHISPER_TOKEN": "", "TOOLS_WHISPER_CALLBACK_URL": ""}
    assert run("submit", SOURCE, **nothing).returncode == 0
    # The stored token goes to no other server.
    assert "as whom" in run("list", **{**nothing, "TOOLS_WHISPER_URL": "http://127.0.0.1:1"}).stderr


def test_a_terminal_shows_a_bar_and_nothing_that_it_would_obey(
    variables: dict[str, str], client: Client, url: str
) -> None:
    job = client.submit(
        SOURCE,
        callback_url=variables["TOOLS_WHISPER_CALLBACK_URL"],
        source_label="a\x1b]0;title\x07b",
        sandbox="finish_in=1",
    )
    shown = on_a_terminal(command("wait", str(job.id)), variables)
    assert "█" in shown and "100 %" in shown and shown.count("\r\x1b[K") > 1
    assert "\x1b]0;" not in on_a_terminal(command("list", "--limit", "1"), variables)


def on_a_terminal(words: list[str], variables: dict[str, str]) -> str:
    """What the terminal was sent."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, env=variables, stdout=theirs, stderr=theirs, stdin=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:
            # The other end is closed: the program has ended.
            pass
        os.close(ours)
        assert process.wait(60) == 0, shown.decode()
    return shown.decode()


def test_ctrl_c_leaves_the_job_to_go_on(variables: dict[str, str], client: Client, tmp_path: Path) -> None:
    words = command("submit", SOURCE, "--wait", "--sandbox", "finish_in=900")
    told = tmp_path / "told"
    with told.open("wb") as err, subprocess.Popen(words, env=variables, stderr=err) as process:
        try:
            wait_until(lambda: b"%" in told.read_bytes(), "the job is waited for")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()
    job = client.jobs(limit=1).jobs[0]
    assert f"tools-whisper wait {job.id}" in told.read_text() and not job.has_ended
    client.cancel(job.id)
