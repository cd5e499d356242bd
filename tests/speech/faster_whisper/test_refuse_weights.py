"""Weights that are missing, damaged or of another engine are told by their file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper

# openai-whisper, whose vocabulary is taken, leaves its file open.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")]


@pytest.mark.parametrize("missing", ["tokenizer.json", "config.json", "vocabulary.json"])
def test_a_folder_without_a_file_that_is_needed_says_which(folder: Path, tmp_path: Path, missing: str) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    (tmp_path / "mine" / missing).unlink()
    assert missing in _refused("mine", tmp_path).message


def test_truncated_weights_say_so(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    whole = (folder / "swedish" / "model.bin").read_bytes()
    (tmp_path / "mine" / "model.bin").write_bytes(whole[: len(whole) // 2])
    assert "model.bin" in _refused("mine", tmp_path).message


@pytest.mark.parametrize("content", [b"PK\x03\x04 an archive of torch", b"\x06\0\0\0\x10\0TransformerSpec\0", b""])
def test_weights_of_another_engine_say_so(folder: Path, tmp_path: Path, content: bytes) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    (tmp_path / "mine" / "model.bin").write_bytes(content)
    assert "model.bin" in _refused("mine", tmp_path).message


@pytest.mark.parametrize(
    ("file", "content"),
    [("vocabulary.json", "[]"), ("vocabulary.json", ""), ("config.json", "{"), ("tokenizer.json", "{}")],
)
def test_a_damaged_text_of_the_folder_is_named(folder: Path, tmp_path: Path, file: str, content: str) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    (tmp_path / "mine" / file).write_text(content)
    assert _refused("mine", tmp_path).message == f"The {file} of the model “mine” is damaged."


def test_a_model_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert "not on this server" in _refused("base", tmp_path).message


def _refused(model: str, folder: Path) -> JobError:
    with pytest.raises(JobError) as refused:
        FasterWhisper(model, Setup(folders=(folder,), device="cpu"))
    assert refused.value.code == "model_unavailable"
    return refused.value
