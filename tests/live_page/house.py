"""A whole server whose ears have the engine of fingerprints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.servers import RunningServer, running_server

CLOCKWORK = "clockwork=tests.clockwork:Clockwork"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    variables = {
        "TOOLS_EXTRA_ENGINES": CLOCKWORK,
        "TOOLS_DEFAULT_MODEL": "clockwork",
        "CLOCKWORK_FACTOR": "0.001",
        # Machines that test are busy: who is gone for a moment comes back later than elsewhere.
        "TOOLS_LIVE_RESUME_SECONDS": "60",
    }
    with running_server(tmp_path_factory.mktemp("live") / "data", **variables) as running:
        yield running
