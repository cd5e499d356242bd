"""The cast: alice and bob use the queue, charlie manages it, nobody may do nothing, admin may do everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage

PASSWORD = "Correct-horse-9-battery"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    """No slow hashes, static files by their own names instead of those of a collected folder, and an empty cache."""
    files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": files}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(f"{name}@example.test", PASSWORD)
    for permission in permissions:
        grant(user, permission)
    return user


@pytest.fixture
def alice(db: None) -> User:
    return person("alice", "whisper.use")


@pytest.fixture
def bob(db: None) -> User:
    return person("bob", "whisper.use")


@pytest.fixture
def charlie(db: None) -> User:
    return person("charlie", "whisper.use", "whisper.manage")


@pytest.fixture
def nobody(db: None) -> User:
    return person("nobody")


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin@example.test", PASSWORD)


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """A client that is signed in as somebody, or as no one."""

    def client_of(user: User | None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.force_authenticate(user)
        return client

    return client_of


@pytest.fixture
def stage(db: None) -> Stage:
    """Plays jobs through the lifecycle by hand, without workers."""
    return Stage()
