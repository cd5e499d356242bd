"""Servers on loopback and small recordings made by PyAV."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.outbound.site import Site, running


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as server:
        yield server


@pytest.fixture
def inner() -> Iterator[Site]:
    """A server on an address that is not admitted."""
    with running(Site("127.0.0.2")) as server:
        yield server
