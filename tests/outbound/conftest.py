"""A server on loopback, and a guard that lets it through."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest

from tests.outbound.site import Site, running
from whisper_jobs.outbound import Guard

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as server:
        yield server


@pytest.fixture
def guard() -> Guard:
    return Guard(LOOPBACK)
