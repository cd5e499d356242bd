"""manage.py models: what an operator sees and fetches."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.serve.prepared import ROOT
from tests.speech.test_download_converted import Hub, hub
from whisper_jobs.pipeline import models

__all__ = ["hub"]


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which models are looked for."""
    settings.TOOLS = replace(settings.TOOLS, model_dir=tmp_path)
    monkeypatch.setattr(models, "folders", lambda: (tmp_path,))
    return tmp_path


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("models", *words, stdout=out)
    return out.getvalue()


def test_a_model_is_fetched_in_faster_whispers_form_listed_and_removed(
    folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_fetch_through", lambda _guard: hub.fetch)
    assert str(folder / "faster-whisper-tiny") in run("download", "tiny")
    [line] = [line for line in run("list").splitlines() if line.split()[:2] == ["faster-whisper", "tiny"]]
    assert line.endswith("present")
    assert "faster-whisper" in run("remove", "tiny")
    assert list(folder.iterdir()) == []


def test_the_list_tells_engine_size_and_state_of_every_model(folder: Path) -> None:
    (folder / "mine.pt").write_bytes(b"x" * 3_000_000)
    lines = [line.split() for line in run("list").splitlines()]
    assert ["faster-whisper", "large-v3", "2948", "MB"] in lines
    assert ["openai-whisper", "large-v3", "2944", "MB"] in lines
    assert ["openai-whisper", "mine", "3", "MB", "own"] in lines


@pytest.mark.parametrize("name", ["nonsense", "../base", "openai-whisper/distil-large-v3"])
def test_what_is_no_model_is_refused_in_a_sentence(
    folder: Path, name: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_fetch_through", lambda _guard: hub.fetch)
    with pytest.raises(CommandError, match="no Whisper model"):
        run("download", name)
    assert hub.asked == []


def test_a_reader_that_has_gone_ends_it_quietly(tmp_path: Path) -> None:
    read, written = os.pipe()
    os.close(read)
    command = [sys.executable, "manage.py", "models", "list"]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TOOLS_DATA_DIR": str(tmp_path)}, stdout=written, stderr=subprocess.PIPE
    )
    os.close(written)
    assert (ended.returncode, ended.stderr) == (1, b"")
