"""Two organisations: alice, bob and dora are of the default one, which dora administers; erik administers another."""

from __future__ import annotations

import pytest

from accounts.models import Tenant, User
from accounts.permissions import grant
from tests.conftest import PASSWORD, person


@pytest.fixture
def dora(db: None) -> User:
    return person("dora", "whisper.use", "scaiecho:admin")


@pytest.fixture
def other(db: None) -> Tenant:
    return Tenant.objects.create(name="Elsewhere")


@pytest.fixture
def erik(other: Tenant) -> User:
    user = User.objects.create_user("erik@example.test", PASSWORD, tenant=other)
    grant(user, "scaiecho:admin")
    return user
