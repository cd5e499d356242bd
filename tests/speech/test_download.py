"""Weights come through a real HTTP server that cuts, resumes, ignores ranges and lies."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.speech.file_server import FileHandler, FileServer
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import weights
from whisper_jobs.speech.engines.weights import Weights

CONTENT = random.Random(0).randbytes(300_000)


class ModelServer(FileServer):
    """Has one file."""

    def __init__(self) -> None:
        super().__init__(Handler)
        self.content = CONTENT
        self.status = 200
        self.knows_ranges = True
        self.offsets: list[int] = []


class Handler(FileHandler):
    server: ModelServer

    def do_GET(self) -> None:
        assert self.path.endswith("/mini.pt")
        offset, status = self.offset, self.server.status
        self.server.offsets.append(offset)
        if offset and self.server.knows_ranges:
            status = 206 if offset < len(self.server.content) else 416
        body = b"" if status >= 400 else self.server.content[offset if status == 206 else 0 :]
        self.send(status, body, cuts=self.server.cuts)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    server = ModelServer()
    with server.serving():
        yield server


@pytest.fixture(autouse=True)
def _mini(monkeypatch: pytest.MonkeyPatch) -> None:
    mini = Weights("mini", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    monkeypatch.setitem(weights.CATALOGUE, "mini", mini)


def test_the_catalogue_is_the_librarys_own() -> None:
    import whisper

    ours = {name: weights.CATALOGUE[name].url for name in weights.CATALOGUE if name != "mini"}
    ours |= {alias: weights.CATALOGUE[name].url for alias, name in weights.ALIASES.items()}
    assert ours == whisper._MODELS


def test_weights_are_fetched_checked_and_put_in_place(server: ModelServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = tmp_path / "new" / "models"
    path = weights.download("mini", folder, fetch=server.fetch, progress=lambda *here: seen.append(here))
    assert path == folder / "mini.pt"
    assert path.read_bytes() == CONTENT
    assert [each.name for each in folder.iterdir()] == ["mini.pt"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [here for here, _ in seen] == sorted(here for here, _ in seen)
    assert weights.find("mini", [folder]) == path


def test_what_is_there_is_not_fetched_again(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "mini.pt").write_bytes(CONTENT)
    weights.download("mini", tmp_path, fetch=server.fetch)
    assert server.offsets == []


def test_a_download_that_is_cut_goes_on_where_it_stopped(server: ModelServer, tmp_path: Path) -> None:
    server.cuts = [120_000, 50_000]
    assert weights.download("mini", tmp_path, fetch=server.fetch).read_bytes() == CONTENT
    assert len(server.offsets) == 3
    assert 0 < server.offsets[1] < server.offsets[2] <= 170_000


def test_a_server_that_is_gone_leaves_what_came_for_the_next_attempt(server: ModelServer, tmp_path: Path) -> None:
    server.cuts = [90_000, 0, 0, 0]
    with pytest.raises(JobError) as cut:
        weights.download("mini", tmp_path, fetch=server.fetch)
    assert (cut.value.code, cut.value.retry) == ("source_unreachable", True)
    assert weights.status("mini", [tmp_path]).state == "incomplete"
    kept = (tmp_path / "mini.pt.part").stat().st_size
    assert weights.download("mini", tmp_path, fetch=server.fetch).read_bytes() == CONTENT
    assert 0 < kept <= 90_000
    assert server.offsets[-1] == kept


def test_a_server_that_ignores_ranges_sends_everything_again(server: ModelServer, tmp_path: Path) -> None:
    server.knows_ranges = False
    server.cuts = [150_000]
    assert weights.download("mini", tmp_path, fetch=server.fetch).read_bytes() == CONTENT
    assert len(server.offsets) == 2
    assert server.offsets[1] > 0


def test_a_part_that_is_whole_already_is_only_checked(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "mini.pt.part").write_bytes(CONTENT)
    assert weights.download("mini", tmp_path, fetch=server.fetch).read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_nothing_of_it_is_kept(server: ModelServer, tmp_path: Path) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(JobError, match="checksum") as refused:
        weights.download("mini", tmp_path, fetch=server.fetch)
    assert refused.value.code == "model_unavailable"
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_is_no_file_is_refused_with_its_status(server: ModelServer, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(JobError, match="404"):
        weights.download("mini", tmp_path, fetch=server.fetch)
    assert not (tmp_path / "mini.pt").exists()


def test_two_downloads_at_once_do_not_mix(server: ModelServer, tmp_path: Path) -> None:
    def meddle(here: int, total: int | None) -> None:
        with pytest.raises(JobError, match="already"):
            weights.download("mini", tmp_path, fetch=server.fetch)

    assert weights.download("mini", tmp_path, fetch=server.fetch, progress=meddle).read_bytes() == CONTENT


def test_an_unknown_name_is_refused_with_the_known_ones(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="large-v3"):
        weights.download("../mini", tmp_path, fetch=server.fetch)


def test_a_damaged_file_is_replaced(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "mini.pt").write_bytes(CONTENT[::-1])
    assert weights.find("mini", [tmp_path]) is None
    assert weights.status("mini", [tmp_path]).state == "damaged"
    weights.download("mini", tmp_path, fetch=server.fetch)
    assert weights.find("mini", [tmp_path]) == tmp_path / "mini.pt"
    assert weights.status("mini", [tmp_path]).state == "present"


def test_an_administrators_own_checkpoint_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(CONTENT)
    assert weights.remove("mine", tmp_path) is True
    assert list(tmp_path.iterdir()) == []


def test_removed_weights_are_gone_with_their_unfinished_part(tmp_path: Path) -> None:
    (tmp_path / "mini.pt").write_bytes(CONTENT)
    (tmp_path / "mini.pt.part").write_bytes(b"1")
    assert weights.remove("mini", tmp_path) is True
    assert list(tmp_path.iterdir()) == []
    assert weights.remove("mini", tmp_path) is False
    assert weights.status("mini", [tmp_path]).state == "missing"
