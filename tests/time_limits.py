"""How long one test may take. Over it, it fails with its stack; a process that can't even do that is ended by faulthandler
(pyproject.toml), and `tests.bounded` ends what takes longer still."""

from __future__ import annotations

import pytest

#: A whole server, a browser, a real model or all of them, on a busy machine. Other tests have the `timeout` of pyproject.toml.
WHOLE_SERVER_SECONDS = 300
SLOW = ("serve", "browser", "acceptance", "engine")


@pytest.hookimpl(tryfirst=True)  # before `-m slow` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not any(item.get_closest_marker(name) for name in SLOW):
            continue
        item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(WHOLE_SERVER_SECONDS))
