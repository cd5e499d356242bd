"""What a server does before it starts its processes: tables, static files, the first admin. Each only where needed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User

STAMP = ".collected"
FIRST_ADMIN = "admin@localhost"


@dataclass(frozen=True)
class NewAdmin:
    """The admin that was just made. `password` is empty when the operator chose it."""

    email: str
    password: str


def migrate() -> bool:
    """Brings the tables up to date; says whether there was anything to do."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def collect_static() -> bool:
    """Gathers and compresses static files when one has changed."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    current = _static_digest()
    if stamp.is_file() and stamp.read_text() == current:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=stamp.is_file())
    stamp.write_text(current)
    return True


def _static_digest() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = Path(storage.path(path)).stat()
            digest.update(f"{path} {file.st_size} {file.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def first_admin(email: str, password: str) -> NewAdmin | None:
    """Makes an admin if there is none. A password that is not given is generated."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    chosen = password or secrets.token_urlsafe(12)
    user = User.objects.create_superuser(email or FIRST_ADMIN, chosen)
    return NewAdmin(user.email, "" if password else chosen)
