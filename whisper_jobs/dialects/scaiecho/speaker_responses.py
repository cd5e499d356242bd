"""Rows → wire: speakers, what was measured of their voices, where they are held, and what is left when they are erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from whisper_jobs import speaker_nodes
from whisper_jobs.models import Replica, ReplicaState, Speaker
from whisper_jobs.speaker_checks import ISSUES
from whisper_jobs.speaker_erasure import Receipt
from whisper_jobs.speaker_nodes import BUSY, Standing
from whisper_jobs.speakers import Enrolled, Warmed
from whisper_jobs.told import in_words_of_the_reader

Json = dict[str, Any]


def speakers(rows: Sequence[Speaker], cursor: str | None) -> Json:
    held = speaker_nodes.enrolled_on([row.pk for row in rows])
    return {"speakers": [_speaker(row, held.get(row.pk, ())) for row in rows], "next": cursor}


def speaker(row: Speaker) -> Json:
    return _speaker(row, speaker_nodes.enrolled_on([row.pk]).get(row.pk, ()))


def _speaker(row: Speaker, replicas: Sequence[Replica]) -> Json:
    told = [Standing(one.node, one.state, one.error, one.at) for one in replicas]
    return {
        "speaker_id": str(row.pk),
        "display_name": row.display_name,
        "description": row.description,
        "language_primary": row.language_primary,
        "scope": row.scope,
        "enrollment_status": row.enrollment_status,
        "created_at": row.created_at.isoformat(),
        "preflight": preflight(row.preflight),
        **_spread(told),
    }


def enrolled(made: Enrolled) -> Json:
    notes = [sentence for sentence in (_nobody_there(made), _known(made)) if sentence]
    return {
        **_speaker(made.speaker, ()),
        **_spread(made.standings),
        **({"note": " ".join(notes)} if notes else {}),
    }


def _nobody_there(made: Enrolled) -> str:
    if made.standings:
        at_work = all(one.state == BUSY for one in made.standings)
        return _("The workers are at work. They hold the voice as soon as they can.") if at_work else ""
    return _("No worker that recognises voices is online. The voice is used as soon as one is.")


def _known(made: Enrolled) -> str:
    if made.like is None:
        return ""
    told = _(
        "This voice is much like that of “%(name)s”, who is enrolled already. The nearer of the two profiles counts."
    )
    return told % {"name": made.like.display_name}


def preflight(told: Mapping[str, Any]) -> Json:
    """With a sentence for each issue."""
    issues = [{"code": code, "message": str(ISSUES.get(code, code))} for code in told.get("issues", ())]
    return {**told, "issues": issues}


def _spread(standings: Sequence[Standing]) -> Json:
    failed = {one.node: in_words_of_the_reader(one.error) for one in standings if one.state == ReplicaState.FAILED}
    warm = [one.node for one in standings if one.state == ReplicaState.WARM]
    return {"enrolled_on": warm, "enroll_errors": failed}


def standing(row: Speaker) -> Json:
    """What each node that is up says."""
    told = speaker_nodes.standings(row)
    return {
        "speaker_id": str(row.pk),
        "enrollment_status": row.enrollment_status,
        "candidates": [one.node for one in told],
        "nodes": [_node(one) for one in told],
        **_spread(told),
    }


def warmed(row: Speaker, done: Warmed) -> Json:
    nobody = {"note": _("No worker that recognises voices is online.")} if not done.standings else {}
    return {
        "speaker_id": str(row.pk),
        "nodes": [_node(one) for one in done.standings],
        **_spread(done.standings),
        "skipped_not_candidate": list(done.skipped),
        **nobody,
    }


def _node(one: Standing) -> Json:
    """`status`: warm, failed, busy (it will follow), evicted, or cold: nothing was heard of it yet."""
    return {
        "node_id": one.node,
        "status": one.state or "cold",
        "error": in_words_of_the_reader(one.error) or None,
        "at": one.at.isoformat() if one.at else None,
    }


def receipt(done: Receipt) -> Json:
    return {
        "speaker_id": str(done.speaker_id),
        "tombstoned_at": done.tombstoned_at.isoformat(),
        "audit_id": done.audit_id,
        "blobs_deleted": done.blobs_deleted,
        "vectors_deleted": done.vectors_deleted,
        "recordings_unlinked": done.recordings_unlinked,
        "replicas_evicted": done.replicas_evicted,
        "replicas_pending": list(done.replicas_pending),
    }
