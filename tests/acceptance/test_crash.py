"""Kill -9 of parts of a server that transcribes: every job completes, and every window's words are there exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.crash import Plan, rehearse
from tests.serve.prepared import prepare

pytestmark = pytest.mark.serve


@pytest.mark.parametrize("batch", [1, 4])
def test_jobs_survive_the_sudden_death_of_any_part(tmp_path: Path, batch: int) -> None:
    prepare(tmp_path / "data")
    found = rehearse(tmp_path, Plan(jobs=3, seconds=50 * batch, kills=13, pause=0.7, factor=0.15 / batch, batch=batch))
    assert {kill.name for kill in found.kills} >= {"redis", "web", "beat", "worker-fetch-1", "worker-speech-1"}
    assert found.jobs == 3 and not found.not_completed
    assert not found.wrong, "words were lost or doubled"
    assert found.most_again <= batch and not found.again_without_kill
    assert found.slowest <= 15
