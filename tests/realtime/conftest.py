"""Somebody whose programs may call, and the live process of the tests of hearing."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.conftest import person
from tests.hearing.conftest import _quick as _quick
from tests.hearing.conftest import house as house
from tests.hearing.conftest import no_connection_left as no_connection_left


@pytest.fixture
def gina(db: None) -> User:
    return person("gina", "whisper.use", "whisper.api")
