"""OpenAI's client for Node.js, for tests only: fetched once from the npm registry and checked; nothing is run to install it."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from pathlib import Path

from config import vendor

#: The last one that is for Node.js 18 and 20 as well.
OPENAI = vendor.Package(
    name="openai",
    version="6.49.0",
    integrity="sha512-aYCc0C6L864eR6WSYIwQGyXriw/nIyZx0ObvhzOEVuk0zoBDpynjSbrionWI7q65B5H8jJX0DXR9snEzM6bfPg==",
    files=(),
)
FOLDER = vendor.FOLDER.parent / f"npm-{OPENAI.version}"


def fetched(folder: Path = FOLDER) -> Path:
    """A folder with `node_modules` in it. Fails with a sentence where the registry can't be reached."""
    if not folder.exists():
        try:
            archive = vendor.download(OPENAI)
        except OSError as error:
            raise AssertionError(f"{OPENAI.url} can't be fetched, which this test needs: {error}") from error
        vendor.check(OPENAI, archive)
        _unpack(archive, folder)
    return folder


def _unpack(archive: bytes, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as new, tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        kept = [one for one in packed.getmembers() if one.name.endswith((".mjs", "package.json", "LICENSE"))]
        packed.extractall(Path(new, "node_modules"), kept, filter="data")
        Path(new, "node_modules", "package").rename(Path(new, "node_modules", OPENAI.name))
        made = Path(new, "made")
        made.mkdir()
        Path(new, "node_modules").rename(made / "node_modules")
        os.rename(made, folder)
