"""pyannote's model comes from a hub that has a gate, through the guard, and what it hands out lies on another host."""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.outbound.site import Page, Site, Visit, running
from whisper_jobs.pipeline import models
from whisper_jobs.speech.diarizers.pyannote import FOLDER, REPOSITORY, find
from whisper_jobs.speech.engines import hub as hubs

TOKEN = "hf_open"
REVISION = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "README.md": b"Nobody needs this.",
    "config.yaml": b"pipeline:\n  name: pyannote.audio.pipelines.SpeakerDiarization\n",
    "plda/plda.npz": b"numbers",
    "segmentation/pytorch_model.bin": b"weights" * 30_000,
    "../evil": b"x",
    "embedding/../../evil": b"x",
}
LARGE = "segmentation/pytorch_model.bin"
WANTED = {"config.yaml", "plda/plda.npz", LARGE}


class Hub:
    """As much of the model hub as a download needs. `keys`: the Authorization of each request to its own host, and elsewhere."""

    def __init__(self, own: Site, elsewhere: Site) -> None:
        self.own, self.elsewhere = own, elsewhere
        self.keys: list[str | None] = []
        self.keys_elsewhere: list[str | None] = []
        own.pages[f"/api/models/{REPOSITORY}"] = self._list
        for name, content in FILES.items():
            own.pages[f"/{REPOSITORY}/resolve/{REVISION}/{name}"] = self._gated(name)
            elsewhere.pages[f"/{name}"] = self._store(content)

    def _list(self, visit: Visit) -> None:
        """Everybody may see the list of a gated model, but not with a token that is none."""
        self.keys.append(visit.headers.get("Authorization"))
        bad = self.keys[-1] == "Bearer hf_wrong"
        answer = {"id": REPOSITORY, "sha": REVISION, "siblings": [listed(name) for name in FILES]}
        visit.answer(json.dumps(answer).encode(), status=401 if bad else 200)

    def _gated(self, name: str) -> Page:
        def page(visit: Visit) -> None:
            self.keys.append(visit.headers.get("Authorization"))
            if self.keys[-1] != f"Bearer {TOKEN}":
                visit.answer(b"{}", status=403, X_Error_Code="GatedRepo")
            elif name == LARGE:
                visit.answer(b"", status=302, Location=self.elsewhere.url(f"/{name}"))
            else:
                visit.answer(FILES[name])

        return page

    def _store(self, content: bytes) -> Page:
        def page(visit: Visit) -> None:
            self.keys_elsewhere.append(visit.headers.get("Authorization"))
            visit.answer_part(content)

        return page


def listed(name: str) -> dict[str, Any]:
    content = FILES[name]
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob}
    return entry | (
        {"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}} if name == LARGE else {}
    )


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running(Site()) as own, running(Site("127.0.0.2")) as elsewhere:
        monkeypatch.setattr(hubs, "ADDRESS", own.url().rstrip("/"))
        yield Hub(own, elsewhere)


@pytest.fixture
def run(tmp_path: Path, settings: Any) -> Callable[..., str]:
    """manage.py models, with the token that is given."""

    def command(verb: str, *, token: str = TOKEN) -> str:
        networks = (ipaddress.ip_network("127.0.0.0/8"),)
        settings.TOOLS = replace(settings.TOOLS, model_dir=tmp_path, hf_token=token, outbound_allow=networks)
        out = io.StringIO()
        call_command("models", verb, REPOSITORY, stdout=out)
        return out.getvalue()

    return command


def test_it_is_fetched_with_the_token_which_no_other_host_sees(
    hub: Hub, tmp_path: Path, run: Callable[..., str]
) -> None:
    assert str(tmp_path / FOLDER) in run("download")
    assert find((tmp_path,)) == tmp_path / FOLDER
    assert [each.name for each in tmp_path.iterdir()] == [FOLDER]
    found = {str(path.relative_to(tmp_path / FOLDER)) for path in (tmp_path / FOLDER).rglob("*") if path.is_file()}
    assert found == WANTED | {"origin.json"}
    assert all((tmp_path / FOLDER / name).read_bytes() == FILES[name] for name in WANTED)
    assert hub.keys == [f"Bearer {TOKEN}"] * 4
    assert hub.keys_elsewhere == [None]


def test_what_is_there_is_not_fetched_again_unless_it_was_changed(
    hub: Hub, tmp_path: Path, run: Callable[..., str]
) -> None:
    run("download")
    hub.keys.clear()
    run("download", token="")
    assert hub.keys == []
    (tmp_path / FOLDER / LARGE).write_bytes(b"damaged")
    run("download")
    assert (tmp_path / FOLDER / LARGE).read_bytes() == FILES[LARGE]


@pytest.mark.parametrize(
    ("token", "told"), [("", "set HF_TOKEN"), ("hf_closed", "accept its conditions"), ("hf_wrong", "check HF_TOKEN")]
)
def test_without_a_token_that_opens_the_gate_it_is_told_what_to_do(
    hub: Hub, tmp_path: Path, run: Callable[..., str], token: str, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        run("download", token=token)
    assert find((tmp_path,)) is None


def test_a_download_that_is_cut_is_no_model_and_goes_on_where_it_stopped(
    hub: Hub, tmp_path: Path, run: Callable[..., str]
) -> None:
    whole = hub.elsewhere.pages[f"/{LARGE}"]

    def cut(visit: Visit) -> None:
        visit.begin(Content_Length=len(FILES[LARGE]))
        visit.wfile.write(FILES[LARGE][:1000])

    hub.elsewhere.pages[f"/{LARGE}"] = cut
    with pytest.raises(CommandError, match="cut off"):
        run("download")
    assert find((tmp_path,)) is None
    assert (tmp_path / f"{FOLDER}.part" / "config.yaml").is_file()
    hub.elsewhere.pages[f"/{LARGE}"] = whole
    run("download")
    assert (tmp_path / FOLDER / LARGE).read_bytes() == FILES[LARGE]


def test_a_wrong_checksum_is_refused(hub: Hub, tmp_path: Path, run: Callable[..., str]) -> None:
    hub.elsewhere.pages[f"/{LARGE}"] = lambda visit: visit.answer(FILES[LARGE][:-1] + b"?")
    with pytest.raises(CommandError, match="checksum"):
        run("download")
    assert find((tmp_path,)) is None


def test_a_hub_that_can_t_be_reached_is_told(
    hub: Hub, tmp_path: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "ADDRESS", "http://127.0.0.1:9")
    with pytest.raises(CommandError, match="could not be reached"):
        run("download")


def test_it_is_removed(hub: Hub, tmp_path: Path, run: Callable[..., str]) -> None:
    run("download")
    assert "is removed" in run("remove")
    assert list(tmp_path.iterdir()) == []
    assert "was not in" in run("remove")
    assert models.remove(REPOSITORY) == []
