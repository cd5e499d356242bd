"""What is installed, told by the packages' metadata and files: nothing heavy is imported."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from pathlib import Path


def version(distribution: str) -> str | None:
    """None for one that is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def folder(module: str) -> Path | None:
    """Where a top-level package lies; None when it can't be imported."""
    found = find_spec(module)
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None


def missing(*modules: str) -> list[str]:
    return [module for module in modules if find_spec(module) is None]
