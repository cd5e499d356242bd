"""Third-party scripts for the pages: fetched once, at set-up, from the npm registry, pinned and checked by their SHA-512.

Run by script/setup as `python -m config.vendor`. Needs Python alone, and leaves the pages as they are without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import os
import sys
import tarfile
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

#: Beside the Python packages; a folder of static files (see settings).
FOLDER = Path(sys.prefix) / "share" / "tools-whisper" / "static"
TIMEOUT_SECONDS = 20.0
MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Package:
    """`files` are those that are kept of it; `integrity` is what the registry publishes for this version."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"https://registry.npmjs.org/{self.name}/-/{self.name}-{self.version}.tgz"

    @property
    def folder(self) -> str:
        return f"vendor/{self.name}-{self.version}"


TUS = Package(
    name="tus-js-client",
    version="4.3.1",
    integrity="sha512-ZLeYmjrkaU1fUsKbIi8JML52uAocjEZtBx4DKjRrqzrZa0O4MYwT6db+oqePlspV+FxXJAyFBc/L5gwUi2OFsg==",
    files=("dist/tus.min.js", "dist/tus.min.js.map", "LICENSE"),
)
#: The player draws the shape of the sound with it.
WAVE = Package(
    name="wavesurfer.js",
    version="8.0.1",
    integrity="sha512-h0OnRWSVTqIYLSw3/IVrBtsun/xw9L5u4FA3bjfSDTFMX/xswVWS1JwK4fFu3ulmxRUSHg8zQORl6zENG983eg==",
    files=("dist/wavesurfer.esm.js", "dist/plugins/regions.esm.js", "LICENSE"),
)
#: What is kept, and what the pages do without it.
KEPT = {TUS: "Large files are uploaded in one go", WAVE: "Players show no waveform"}


def script(package: Package, folder: Path = FOLDER) -> str | None:
    """Name of the package's script as a static file; None where it was not fetched."""
    name = f"{package.folder}/{Path(package.files[0]).name}"
    return name if (folder / name).is_file() else None


def fetch(package: Package, folder: Path = FOLDER) -> None:
    """Raises OSError when the registry can't be reached, ValueError when it sends something else."""
    unpack(package, download(package), folder)


def download(package: Package) -> bytes:
    """As the registry sends it; not checked."""
    if not package.url.startswith("https://"):
        raise ValueError(f"{package.url} is no https address")
    with urllib.request.urlopen(package.url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked above
        archive: bytes = answer.read(MOST_BYTES)
    return archive


def check(package: Package, archive: bytes) -> None:
    """Raises ValueError when it is not what was pinned."""
    algorithm, _dash, wanted = package.integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, archive).digest()).decode()
    if not hmac.compare_digest(found, wanted):
        raise ValueError(f"{package.url} is not the file that this version is known by")


def unpack(package: Package, archive: bytes, folder: Path = FOLDER) -> None:
    """All files or none: the folder appears when it is complete."""
    check(package, archive)
    place = folder / package.folder
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as new, tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        made = Path(new, "made")
        made.mkdir()
        for name in package.files:
            member = packed.extractfile(f"package/{name}")
            if member is None:
                raise ValueError(f"{package.url} has no {name}")
            (made / Path(name).name).write_bytes(member.read())
        os.rename(made, place)


def main() -> int:
    missing = [package for package in KEPT if not script(package)]
    return max([_fetched(package) for package in missing], default=0)


def _fetched(package: Package) -> int:
    """An exit status."""
    try:
        fetch(package)
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        print(f"{KEPT[package]}, since {package.name} could not be fetched: {error}", file=sys.stderr)
        return 1
    print(f"    {package.name} {package.version}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
