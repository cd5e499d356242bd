"""The audit log: what was done to people's data. Entries are added here alone, each with the digest of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Tenant, User
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import AuditEntry

#: Names the lock under which entries are added, among those of PostgreSQL that stand for no row.
_LOCK = 0x617564697400
_CHECKED = ("id", "at", "tenant_id", "actor_id", "action", "subject", "detail", "previous", "digest")
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking all entries gave. `head` is the digest of the last one: whoever keeps it can tell whether it was cut off."""

    entries: int = 0
    head: str = ""
    broken: list[int] = field(default_factory=list)


def record(action: str, subject: str, *, actor: User | None, tenant: Tenant | int | None, **detail: Any) -> AuditEntry:
    """Adds an entry, in the caller's transaction where there is one. `actor` is None where the server did it by itself.

    What is added waits for others that add until they have committed, so this comes last in a transaction.
    """
    with transaction.atomic():
        _wait_for_turn()
        told: dict[str, Any] = {
            "at": timezone.now(),
            "tenant_id": tenant.pk if isinstance(tenant, Tenant) else tenant,
            "actor_id": actor.pk if actor else None,
            "action": action,
            "subject": plain_text(subject)[:120],
            "detail": _plain(json.loads(json.dumps(detail, cls=DjangoJSONEncoder))),
            "previous": AuditEntry.objects.order_by("-id").values_list("digest", flat=True).first() or "",
        }
        return AuditEntry.objects.create(**told, digest=_digest(**told))


def verify() -> list[int]:
    """The entries that were changed, or that don't follow the one before them."""
    return examine().broken


def has(digest: str) -> bool:
    """Whether there is such an entry."""
    return AuditEntry.objects.filter(digest=digest).exists()


def examine() -> Verdict:
    """Reads the whole log in the order in which it was written."""
    count, before, broken = 0, "", []
    for entry in _entries():
        number, stored = entry.pop("id"), entry.pop("digest")
        if entry["previous"] != before or _digest(**entry) != stored:
            broken.append(number)
        count, before = count + 1, stored
    return Verdict(count, before, broken)


def _entries() -> Iterator[dict[str, Any]]:
    """By parts, since not every database hands out a long answer little by little."""
    last = 0
    while part := list(AuditEntry.objects.filter(id__gt=last).order_by("id").values(*_CHECKED)[:BATCH]):
        last = part[-1]["id"]
        yield from part


def _wait_for_turn() -> None:
    """One at a time. In SQLite a transaction is alone from its beginning."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _digest(*, at: datetime, **told: Any) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    content = json.dumps({**told, "at": moment}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As every database gives it back: without characters that none stores; fractions as text, since some are rounded."""
    if isinstance(value, dict):
        return {plain_text(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return str(value)
    return plain_text(value) if isinstance(value, str) else value
