"""Who may assign, take, submit, send back and approve, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Tenant, User
from tests.conftest import person
from tests.core.play import fresh
from whisper_jobs import review
from whisper_jobs.models import Job, LogLine, Review, Transcript
from whisper_jobs.runs import NotAllowed

Make = Callable[..., Job]


def _row(job: Job) -> Review:
    return Review.objects.select_related("assignee", "decided_by").get(job=job)


def _log(job: Job) -> list[str]:
    return list(LogLine.objects.filter(job=job).order_by("id").values_list("message", flat=True))


def test_the_whole_way(waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    review.assign(job.pk, by=alice, assignee=charlie)
    assert (_row(job).state, _row(job).assignee) == ("assigned", charlie)
    review.submit(job.pk, by=charlie, note="Names are right now.")
    assert (_row(job).state, _row(job).note) == ("submitted", "Names are right now.")
    review.send_back(job.pk, by=alice, note="The end is missing.")
    assert (_row(job).state, _row(job).note, _row(job).decided_by) == ("returned", "The end is missing.", alice)
    review.submit(job.pk, by=charlie)
    Transcript.objects.filter(job=job).update(version=7)
    review.approve(job.pk, by=alice, version=7)
    row = _row(job)
    assert (row.state, row.decided_by, row.approved_number) == ("approved", alice, 7)
    assert fresh(job).stage == "completed"
    assert _log(job)[-7:] == [
        "The transcript waits for a person's approval.",
        "alice@example.test gave the transcript to charlie@example.test.",
        "charlie@example.test submitted the transcript for approval.",
        "alice@example.test sent the transcript back: The end is missing.",
        "charlie@example.test submitted the transcript for approval.",
        "alice@example.test approved the transcript.",
        "The transcript is complete.",
    ]


def test_the_owner_may_approve_straight_away(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    review.approve(job.pk, by=alice)
    assert (_row(job).state, _row(job).approved_number) == ("approved", 0)


def test_what_was_corrected_since_it_was_read_is_not_approved(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    Transcript.objects.filter(job=job).update(version=2)
    with pytest.raises(NotAllowed, match="changed after you opened it"):
        review.approve(job.pk, by=alice, version=1)
    assert fresh(job).stage == "reviewing"


def test_of_two_who_take_it_one_gets_it(waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    review.take(job.pk, by=charlie)
    review.take(job.pk, by=charlie)
    with pytest.raises(NotAllowed, match="is editing this already"):
        review.take(job.pk, by=alice)
    assert _row(job).assignee == charlie


def test_only_those_who_see_the_job_can_be_assigned(waiting: Make, alice: User, bob: User, admin: User) -> None:
    job = waiting(alice)
    elsewhere = person("boss", "whisper.use", "whisper.manage")
    elsewhere.tenant = Tenant.objects.create(name="elsewhere")
    elsewhere.save()
    gone = person("gone", "whisper.use", "whisper.manage")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for stranger in (bob, elsewhere, gone):
        with pytest.raises(NotAllowed, match="can't see the recording"):
            review.assign(job.pk, by=alice, assignee=stranger)
    review.assign(job.pk, by=alice, assignee=admin)
    assert _row(job).assignee == admin


def test_nobody_is_assigned_any_more(waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    review.take(job.pk, by=charlie)
    review.assign(job.pk, by=alice, assignee=None)
    assert (_row(job).state, _row(job).assignee) == ("waiting", None)


def test_only_the_editor_submits(waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    for state in ("waiting", "assigned"):
        assert _row(job).state == state
        with pytest.raises(NotAllowed, match="Only the person who edits this"):
            review.submit(job.pk, by=alice)
        review.take(job.pk, by=charlie)


def test_only_what_was_submitted_is_sent_back_and_with_a_reason(waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    with pytest.raises(NotAllowed, match="Nothing was submitted"):
        review.send_back(job.pk, by=alice, note="No.")
    review.take(job.pk, by=charlie)
    review.submit(job.pk, by=charlie)
    with pytest.raises(NotAllowed, match="Say in a note"):
        review.send_back(job.pk, by=alice, note=" \0 ")
    assert _row(job).state == "submitted"


def test_a_completed_job_stays_so(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    review.approve(job.pk, by=alice)
    for verb in (review.approve, review.take, review.submit):
        with pytest.raises(NotAllowed, match="does not wait"):
            verb(job.pk, by=alice)


def test_notes_keep_no_control_characters(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    review.take(job.pk, by=alice)
    review.submit(job.pk, by=alice, note="a\0b\u202e<script>")
    assert _row(job).note == "ab<script>"
