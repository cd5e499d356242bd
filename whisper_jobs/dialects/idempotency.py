"""The header Idempotency-Key, in every dialect: what it names, and what is answered when it names something done before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import User
from whisper_jobs import sandbox, uploads
from whisper_jobs.intake import Idempotency, Repeated
from whisper_jobs.models import Job
from whisper_jobs.pen import Gone

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
LONGEST = 255


class Refused(Exception):
    """This key can't be one, or it was used for something else."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Made:
    """A job, and the headers that say whether this request made it or an earlier one did."""

    job: Job
    headers: dict[str, str] = field(default_factory=dict)


def asked(request: Request, told: Mapping[str, Any]) -> Idempotency | None:
    """The key of this request and the fingerprint of its checked fields; None without the header. Raises Refused."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise Refused(_("An Idempotency-Key has 1 to 255 printable characters."), "idempotency_key_invalid")
    return Idempotency(key, fingerprint(request.path, {**told, **_played(request)}))


def _played(request: Request) -> dict[str, str]:
    """What a token of the sandbox asks for is another request than the same with a token for work."""
    in_sandbox = getattr(request.auth, "is_sandbox", False)
    return {sandbox.HEADER: request.headers.get(sandbox.HEADER, "")} if in_sandbox else {}


def fingerprint(path: str, told: Mapping[str, Any]) -> str:
    """SHA-256 over the path and the checked fields; a file counts by its content."""
    canonical = json.dumps([path, {name: _plain(told[name]) for name in sorted(told)}], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, UploadedFile):
        return {"sha256": uploads.digest_of(value), "name": value.name}
    return value if isinstance(value, str | bool | int | list | None) else str(value)


def once(make: Callable[[], Job], owner: User) -> Made:
    """What `make` makes, or what the first request with its key has made. Raises Refused, Gone and what `make` raises."""
    try:
        return Made(make())
    except Repeated as repeated:
        demand_same(repeated)
        return Made(_made_before(repeated, owner), {REPLAYED: "true"})


def demand_same(repeated: Repeated) -> None:
    """Raises Refused when the key was used for something else."""
    if not repeated.same:
        raise Refused(_("This Idempotency-Key was used for another request. Take a new one."), "idempotency_key_reused")


def _made_before(repeated: Repeated, owner: User) -> Job:
    """Deleted meanwhile, it is gone. A manager sees those of one tenant, but this one is the owner's in any case."""
    found = Job.objects.select_related("owner").filter(owner=owner, pk=repeated.job_id).first()
    if found is None:
        raise Gone(repeated.job_id)
    return found
