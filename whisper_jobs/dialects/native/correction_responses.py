"""A correction as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.models import User
from whisper_jobs import payloads, segment_rows
from whisper_jobs.models import Correction

Json = dict[str, Any]


def correction(row: Correction, *, with_before: bool = False) -> Json:
    """What somebody has changed: the segments as the correction left them, and with `with_before` as it found them."""
    there = {one["id"] for one in row.after}
    before = {"before": _segments(row.job_id, row.before)} if with_before else {}
    return {
        "number": row.number,
        "kind": row.kind,
        "author": _author(row.author),
        "at": row.at.isoformat(),
        "of_number": row.of_number,
        "undone_by": row.undone_by,
        "removed": [one["id"] for one in row.before if one["id"] not in there],
        **before,
        "segments": _segments(row.job_id, row.after),
        "speakers": payloads.speakers(row.speakers["after"]) if row.speakers else None,
    }


def _author(user: User | None) -> Json | None:
    return {"id": user.pk, "name": user.name or user.email} if user else None


def _segments(job_id: int, kept: Iterable[segment_rows.Snapshot]) -> list[Json]:
    return [payloads.segment(segment_rows.row_of(job_id, one)) for one in kept]
