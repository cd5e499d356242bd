"""Sets the server's own limits for one test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

Tools = Callable[..., None]


@pytest.fixture
def tools(settings: Any) -> Tools:
    """`tools(max_queued_jobs=2)` is TOOLS_MAX_QUEUED_JOBS=2."""

    def change(**values: Any) -> None:
        settings.TOOLS = replace(settings.TOOLS, **values)

    return change
