"""Models for faster-whisper come from a hub that speaks as the real one does: a list of files with checksums, then the files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.speech.checkpoints import model_bin
from tests.speech.file_server import FileHandler, FileServer
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import converted
from whisper_jobs.speech.engines.weights import ALIASES

REVISION = "0123456789abcdef0123456789abcdef01234567"
MODEL = model_bin(b"weights" * 30_000)
FILES = {
    "README.md": b"Nobody needs this.",
    "config.json": b"{}",
    "model.bin": MODEL,
    "tokenizer.json": b'{"model": {}}',
    "vocabulary.txt": b"a\nb\n",
}


class Hub(FileServer):
    """Has one model, `Systran/faster-whisper-tiny`; only its largest file breaks off."""

    origin = "https://huggingface.co/"

    def __init__(self) -> None:
        super().__init__(Handler)
        self.files = dict(FILES)
        self.listed: dict[str, Any] | None = None
        self.asked: list[str] = []

    def answer(self) -> dict[str, Any]:
        listed = [_listed(name, content) for name, content in FILES.items() if name in self.files]
        return self.listed or {"id": "Systran/faster-whisper-tiny", "sha": REVISION, "siblings": listed}


def _listed(name: str, content: bytes) -> dict[str, Any]:
    """As `GET /api/models/ID?blobs=true` lists a file: large ones by SHA-256, small ones as git knows them."""
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob}
    if name == "model.bin":
        pointer = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        entry |= {"lfs": pointer, "blobId": "0" * 40}
    return entry


class Handler(FileHandler):
    server: Hub

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        if path.startswith("/api/models/"):
            known = path == "/api/models/Systran/faster-whisper-tiny"
            self.send(200 if known else 404, json.dumps(self.server.answer()).encode() if known else b"{}")
            return
        match = re.fullmatch(rf"/Systran/faster-whisper-tiny/resolve/{REVISION}/(.+)", path)
        content = self.server.files.get(match[1]) if match else None
        if content is None:
            self.send(404, b"")
            return
        cuts = self.server.cuts if path.endswith("model.bin") else None
        self.send(206 if "Range" in self.headers else 200, content[self.offset :], cuts=cuts)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    with hub.serving():
        yield hub


def test_the_catalogue_is_the_librarys_own() -> None:
    from faster_whisper.utils import _MODELS

    ours = {name: known.repo for name, known in converted.CATALOGUE.items()}
    ours |= {alias: converted.CATALOGUE[name].repo for alias, name in ALIASES.items()}
    assert ours == _MODELS


def test_a_model_is_fetched_checked_and_put_in_place(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = converted.download("tiny", tmp_path, fetch=hub.fetch, progress=lambda *here: seen.append(here))
    assert path == tmp_path / "faster-whisper-tiny"
    assert [each.name for each in tmp_path.iterdir()] == ["faster-whisper-tiny"]
    names = {each.name for each in path.iterdir()}
    assert names == {"config.json", "model.bin", "origin.json", "tokenizer.json", "vocabulary.txt"}
    assert (path / "model.bin").read_bytes() == MODEL
    total = sum(len(content) for name, content in FILES.items() if name != "README.md")
    assert seen[-1] == (total, total)
    assert [here for here, _ in seen] == sorted(here for here, _ in seen)
    assert converted.find("tiny", [tmp_path]) == path
    assert converted.status("tiny", [tmp_path]).state == "present"


def test_what_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    converted.download("tiny", tmp_path, fetch=hub.fetch)
    hub.asked.clear()
    converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert hub.asked == []


def test_a_name_on_the_hub_is_fetched_as_the_model_that_it_is(hub: Hub, tmp_path: Path) -> None:
    path = converted.download("Systran/faster-whisper-tiny", tmp_path, fetch=hub.fetch)
    assert path == tmp_path / "faster-whisper-tiny"


def test_a_download_that_is_cut_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [100_000, 0, 0, 0]
    with pytest.raises(JobError) as cut:
        converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert (cut.value.code, cut.value.retry) == ("source_unreachable", True)
    assert converted.status("tiny", [tmp_path]).state == "incomplete"
    assert converted.find("tiny", [tmp_path]) is None
    hub.asked.clear()
    path = converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert (path / "model.bin").read_bytes() == MODEL
    assert [each for each in hub.asked if each.endswith(".json")] == [], "whole files are not fetched again"


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_wrong_checksum_is_refused(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.files[name] = FILES[name][:-1] + b"?"
    with pytest.raises(JobError, match="checksum") as refused:
        converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert refused.value.code == "model_unavailable"
    assert converted.find("tiny", [tmp_path]) is None


def test_a_model_in_another_form_is_refused_before_it_is_fetched(hub: Hub, tmp_path: Path) -> None:
    del hub.files["tokenizer.json"]
    with pytest.raises(JobError, match=r"no tokenizer\.json"):
        converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert hub.asked == ["/api/models/Systran/faster-whisper-tiny"]


def test_a_model_that_the_hub_does_not_have_is_said_to_be_missing(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="“nobody/nothing”") as refused:
        converted.download("nobody/nothing", tmp_path, fetch=hub.fetch)
    assert refused.value.code == "model_unavailable"


@pytest.mark.parametrize(
    "answer", [{"sha": REVISION}, {"siblings": "x"}, {"sha": 1, "siblings": [{"rfilename": "model.bin"}]}]
)
def test_an_answer_that_makes_no_sense_is_refused(hub: Hub, tmp_path: Path, answer: dict[str, Any]) -> None:
    hub.listed = answer
    with pytest.raises(JobError) as refused:
        converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert refused.value.code == "model_unavailable"


def test_no_file_is_written_outside_the_models_folder(hub: Hub, tmp_path: Path) -> None:
    listed = hub.answer()
    listed["siblings"].append(_listed("vocabulary.x/../../../evil", b"x"))
    hub.listed = listed
    converted.download("tiny", tmp_path / "models", fetch=hub.fetch)
    assert [each.name for each in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize("name", ["../tiny", "/etc", "a/b/c", "..", ""])
def test_a_path_is_no_model(hub: Hub, tmp_path: Path, name: str) -> None:
    with pytest.raises(JobError) as refused:
        converted.download(name, tmp_path, fetch=hub.fetch)
    assert refused.value.code == "model_unavailable"
    assert hub.asked == []


def test_a_model_that_was_changed_is_damaged_and_is_replaced(hub: Hub, tmp_path: Path) -> None:
    path = converted.download("tiny", tmp_path, fetch=hub.fetch)
    (path / "model.bin").write_bytes(MODEL[:-7])
    assert converted.status("tiny", [tmp_path]).state == "damaged"
    (path / "model.bin").write_bytes(MODEL[:-7] + b"changed")
    assert converted.find("tiny", [tmp_path]) is None
    converted.download("tiny", tmp_path, fetch=hub.fetch)
    assert converted.find("tiny", [tmp_path]) == path


def test_a_model_in_the_cache_of_the_hub_is_found(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--Systran--faster-whisper-tiny" / "snapshots" / REVISION
    blobs = snapshot.parents[1] / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for name, content in FILES.items():
        blob = blobs / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(blob)
    assert converted.find("tiny", [tmp_path / "none", tmp_path]) == snapshot
    (blobs / hashlib.sha256(MODEL).hexdigest()).write_bytes(MODEL[::-1])
    assert converted.find("tiny", [tmp_path]) is None


def test_a_removed_model_is_gone_with_what_was_unfinished(hub: Hub, tmp_path: Path) -> None:
    converted.download("tiny", tmp_path, fetch=hub.fetch)
    (tmp_path / "faster-whisper-tiny.part").mkdir()
    assert converted.remove("tiny", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not converted.remove("tiny", tmp_path)
