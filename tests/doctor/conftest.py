"""Settings of a server as an operator may have made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

Change = Callable[..., None]


@pytest.fixture
def change(settings: Any, tmp_path: Path) -> Change:
    """Changes some of TOOLS_*; the models folder is empty."""
    settings.TOOLS = replace(settings.TOOLS, model_dir=tmp_path / "models")

    def change(**fields: Any) -> None:
        settings.TOOLS = replace(settings.TOOLS, **fields)

    return change
