"""Programs: clients that name themselves with a personal token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.conftest import person


@pytest.fixture
def robin(db: None) -> User:
    """A person with an integration."""
    return person("robin", "whisper.use", "whisper.api")


@pytest.fixture
def program() -> Callable[[User], APIClient]:
    """A client with a new token of somebody."""

    def client_of(user: User) -> APIClient:
        return APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.create(user, tokens.API).token}")

    return client_of
