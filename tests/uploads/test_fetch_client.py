"""The pages' script for large files is taken from the registry as it was published, or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from config import vendor
from config.vendor import KEPT, TUS, Package, fetch, script, unpack


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as out:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name.replace('_', '/', 1)}.js")
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return packed.getvalue()


PUBLISHED = archive(dist_client=b"client()", dist_other=b"other()")
DIGEST = base64.b64encode(hashlib.sha512(PUBLISHED).digest()).decode()
CLIENT = Package("client", "1.2.3", f"sha512-{DIGEST}", ("dist/client.js",))


def test_the_script_is_a_static_file_with_its_version(tmp_path: Path) -> None:
    assert script(CLIENT, tmp_path) is None
    unpack(CLIENT, PUBLISHED, tmp_path)
    name = script(CLIENT, tmp_path)
    assert name == "vendor/client-1.2.3/client.js"
    assert (tmp_path / name).read_bytes() == b"client()"
    assert [file.name for file in tmp_path.rglob("*.js")] == ["client.js"]


def test_another_archive_than_the_published_one_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not the file that this version is known by"):
        unpack(CLIENT, archive(dist_client=b"evil()"), tmp_path)
    assert not list(tmp_path.rglob("*.js"))


def test_an_archive_without_the_script_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        unpack(replace(CLIENT, files=("dist/client.js", "dist/none.js")), PUBLISHED, tmp_path)
    assert script(CLIENT, tmp_path) is None


def test_a_registry_out_of_reach_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(package: Package) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(vendor, "script", lambda package: None)
    monkeypatch.setattr(vendor, "fetch", unreachable)
    assert vendor.main() == 1
    told = capsys.readouterr().err
    for package, without in KEPT.items():
        assert f"{without}, since {package.name} could not be fetched: no route to host" in told


def test_only_https_will_do(tmp_path: Path) -> None:
    class Plain(Package):
        url = "http://registry.example/client.tgz"

    with pytest.raises(ValueError, match="no https address"):
        fetch(Plain("client", "1", "sha512-x", ("a.js",)), tmp_path)


def test_the_pins_are_whole() -> None:
    for package in KEPT:
        assert len(base64.b64decode(package.integrity.removeprefix("sha512-"))) == 64
    assert TUS.url == "https://registry.npmjs.org/tus-js-client/-/tus-js-client-4.3.1.tgz"
