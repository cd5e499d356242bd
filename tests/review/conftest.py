"""Jobs that wait for an approval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs.models import Job


@pytest.fixture
def waiting(stage: Stage) -> Callable[..., Job]:
    """Makes a job of somebody whose words are there and which waits for a person."""

    def made(owner: User, **fields: Any) -> Job:
        return stage.completed(owner, needs_approval=True, **fields)

    return made
