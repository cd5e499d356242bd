"""The header Idempotency-Key: what it names, and what is answered when it names something that was done before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework.request import Request

from whisper_jobs import uploads
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.intake import Idempotency, Repeated

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
LONGEST = 255


def asked(request: Request, told: Mapping[str, Any]) -> Idempotency | None:
    """The key of this request and the fingerprint of its checked fields; None without the header."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        sentence = _("An Idempotency-Key has 1 to 255 printable characters.")
        raise Unprocessable(sentence, code="idempotency_key_invalid", errors={HEADER: [sentence]})
    return Idempotency(key, fingerprint(request.path, told))


def fingerprint(path: str, told: Mapping[str, Any]) -> str:
    """SHA-256 over the path and the checked fields; a file counts by its content."""
    canonical = json.dumps([path, {name: _plain(told[name]) for name in sorted(told)}], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, UploadedFile):
        return {"sha256": uploads.digest_of(value), "name": value.name}
    return value if isinstance(value, str | bool | int | list | None) else str(value)


def demand_same(repeated: Repeated) -> None:
    """Raises Unprocessable when the key was used for something else."""
    if not repeated.same:
        sentence = _("This Idempotency-Key was used for another request. Take a new one.")
        raise Unprocessable(sentence, code="idempotency_key_reused", errors={HEADER: [sentence]})
