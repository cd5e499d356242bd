"""The secret that signs sessions: made once, whole, for the owner's eyes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config import settings


def test_it_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret_key"
    made = settings._kept_secret(file)
    assert len(made) > 60
    assert settings._kept_secret(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret_key"]


def test_a_start_that_dies_while_it_is_made_leaves_none_that_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(size: int) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("secrets.token_urlsafe", died)
        with pytest.raises(KeyboardInterrupt):
            settings._kept_secret(tmp_path / "secret_key")
    assert len(settings._kept_secret(tmp_path / "secret_key")) > 60
