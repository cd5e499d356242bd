"""script/transcribe's command: a recording in, the transcript on standard output, the reason and status 1 when it failed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.serve.ports import free_port, wait_until
from tests.serve.prepared import prepare
from tests.serve.servers import ROOT, RunningServer, environment

pytestmark = pytest.mark.serve
WORDS = "The quick brown fox jumps over the lazy dog. Please call me tomorrow morning."


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("audio") / "spoken.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", WORDS, "-o", str(file)], check=True)
    return file


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("transcribe") / "data")


def command(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "transcribe", *words]


def transcribe(data: Path, *words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    given = ("--folder", str(folder), *words)
    return subprocess.run(
        command(*given), env=environment(data, free_port()), capture_output=True, text=True, timeout=120, check=False
    )


def test_the_transcript_of_a_file_is_printed_and_nothing_else(data: Path, spoken: Path) -> None:
    done = transcribe(data, spoken.name, folder=spoken.parent)
    assert done.returncode == 0, done.stderr
    assert "quick brown fox" in done.stdout.lower()
    assert "100 %" in done.stderr
    assert "%" not in done.stdout
    assert [file.name for file in (data / "run").iterdir()] == ["server.lock"]
    assert not [
        one
        for one in psutil.process_iter(["environ"])
        if (one.info["environ"] or {}).get("TOOLS_DATA_DIR") == str(data)
    ]


def test_the_transcript_is_written_to_a_file_in_the_format_asked_for(data: Path, spoken: Path) -> None:
    done = transcribe(
        data, str(spoken), "--format", "pdf", "-o", "out.pdf", "--language", "English", folder=spoken.parent
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (spoken.parent / "out.pdf").read_bytes().startswith(b"%PDF-")


def test_captions_are_shaped_as_asked_for(data: Path, spoken: Path) -> None:
    done = transcribe(data, str(spoken), "--format", "vtt", "--preset", "web", "--words", "--no-speakers")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("WEBVTT\n\n00:00:")
    assert "<c>fox</c>" in done.stdout.lower()


def test_a_file_without_sound_ends_with_the_jobs_code_and_sentence(data: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp3").write_text("not a recording at all\n" * 50)
    done = transcribe(data, str(tmp_path / "notes.mp3"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("source_type_not_supported: ")


def test_what_can_not_be_submitted_is_told_in_one_line(data: Path, tmp_path: Path, spoken: Path) -> None:
    (tmp_path / "empty.wav").touch()
    refusals = {
        ("nothing.wav",): "can't be read (no such file or directory)",
        ("empty.wav",): "The file is empty.",
        ("ftp://example.com/a.wav",): "",
        (str(spoken), "--language", "klingon"): "",
        (str(spoken), "--model", "enormous"): "There is no model",
        (str(spoken), "-o", "no/such/folder.txt"): "There is no folder",
    }
    for words, told in refusals.items():
        done = transcribe(data, *words, folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert told in done.stderr


def test_a_server_that_runs_does_the_work(data: Path, spoken: Path) -> None:
    server = RunningServer(data)
    try:
        server.wait_ready()
        before = {file.name: file.read_text() for file in (data / "run").glob("*.pid")}
        done = transcribe(data, str(spoken))
        assert "quick brown fox" in done.stdout.lower(), done.stderr
        assert {file.name: file.read_text() for file in (data / "run").glob("*.pid")} == before
        assert server.is_ready()
    finally:
        server.end()


def interrupted(data: Path, recording: Path) -> subprocess.CompletedProcess[str]:
    """Ctrl-C as soon as words come."""
    words = command(str(recording))
    process = subprocess.Popen(
        words, env=environment(data, free_port()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: stage(data) == "transcribing", "it transcribes")
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def stage(data: Path) -> str:
    return last_job(data, "stage")


def last_job(data: Path, field: str) -> str:
    connection = sqlite3.connect(data / "db.sqlite3")
    try:
        row = connection.execute(f"select {field} from whisper_job order by id desc limit 1").fetchone()
        return str(row[0]) if row else ""
    finally:
        connection.close()


@pytest.fixture
def long_recording(spoken: Path, tmp_path: Path) -> Path:
    file = tmp_path / "long.wav"
    loop = ["ffmpeg", "-loglevel", "error", "-stream_loop", "200", "-i", str(spoken), str(file)]
    subprocess.run(loop, check=True)
    return file


def test_ctrl_c_cancels_the_job(data: Path, long_recording: Path) -> None:
    done = interrupted(data, long_recording)
    assert (done.returncode, done.stdout) == (130, "")
    assert "Cancelled." in done.stderr
    assert "Traceback" not in done.stderr
    assert last_job(data, "failure_code") == "cancelled"


def test_a_time_limit_cancels_the_job(data: Path, long_recording: Path) -> None:
    done = transcribe(data, str(long_recording), "--timeout", "3")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("timeout: ")
    assert last_job(data, "failure_code") == "cancelled"
