"""The cast: alice and bob use the queue, charlie manages it, nobody may do nothing, admin may do everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client, override_settings
from django.utils import translation
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage
from tests.half_read import _is_half_read as _is_half_read
from tests.half_read import _queries as _queries
from tests.serve.lasting import lasting_server as lasting_server
from tests.serve.lasting import renewed_server as renewed_server

# A machine that does other things as well is slow now and then; that says nothing about what is tested.
hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

PASSWORD = "Correct-horse-9-battery"
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

Tools = Callable[..., None]


@pytest.fixture(autouse=True)
def _alone(settings: Any, tmp_path: Path) -> None:
    """Nothing of another test: media of one's own, an empty cache, English. No slow hashes, and static files by their own names."""
    files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    media = {"location": tmp_path / "media", "file_permissions_mode": 0o600}
    settings.STORAGES = {"default": {**settings.STORAGES["default"], "OPTIONS": media}, "staticfiles": files}
    settings.PASSWORD_HASHERS = QUICK_HASHERS
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    translation.activate("en")


@pytest.fixture(scope="session", autouse=True)
def _audit_log_is_emptied_between_tests() -> Iterator[None]:
    """SQLite refuses to delete entries of the audit log, and tests with transactions of their own delete all rows afterwards."""
    operations: type[BaseDatabaseOperations] = type(connection.ops)
    keep = import_module("whisper_jobs.migrations.0006_audit_is_kept").MAKE["sqlite"][1]
    flush = operations.sql_flush

    def without_trigger(self: BaseDatabaseOperations, style: Any, tables: Any, **options: Any) -> list[str]:
        statements = flush(self, style, tables, **options)
        if "whisper_auditentry" not in tables:
            return statements
        return ["DROP TRIGGER IF EXISTS audit_no_delete", *statements, keep]

    with pytest.MonkeyPatch.context() as patched:
        if connection.vendor == "sqlite":
            patched.setattr(operations, "sql_flush", without_trigger)
        yield


@pytest.fixture(scope="module")
def lasting_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What fixtures of a module put into the database is there for all its tests, and gone after the last."""
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK_HASHERS), transaction.atomic():
        yield
        transaction.set_rollback(True)


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
def visit() -> Callable[[User | None], Client]:
    """A browser without scripts that is signed in as somebody, or as no one."""

    def client_of(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return client_of


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


@pytest.fixture
def tools(settings: Any) -> Tools:
    """Changes settings of the server: `tools(max_queued_jobs=2)` is TOOLS_MAX_QUEUED_JOBS=2."""

    def change(**values: Any) -> None:
        settings.TOOLS = replace(settings.TOOLS, **values)

    return change
