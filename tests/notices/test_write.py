"""A job that ends writes its notices in the same transaction, for those who want them and nobody else."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import User
from tests.callbacks.receiver import Receiver
from tests.core.play import Stage
from tests.notices.conftest import send, states
from whisper_jobs import lifecycle, notices
from whisper_jobs.errors import JobError
from whisper_jobs.models import Channel, Notice, PushSubscription


def test_a_completed_job_announces_itself_by_mail_and_to_each_browser(
    stage: Stage, mailed: User, subscribed: Any
) -> None:
    subscribed(mailed, "phone"), subscribed(mailed, "desk")
    job = stage.completed(mailed)
    assert sorted(bool(one.subscription_id) for one in Notice.objects.filter(job=job)) == [False, True, True]
    assert set(states()) == {"due"}


def test_a_failed_job_does_so_too(stage: Stage, mailed: User) -> None:
    stage.prepared(mailed)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    assert states() == ["due"]


def test_nobody_is_told_who_did_not_ask(stage: Stage, alice: User, bob: User, subscribed: Any) -> None:
    subscribed(bob)
    stage.completed(alice)
    assert states() == []


def test_whoever_cancels_knows_it_already(stage: Stage, mailed: User) -> None:
    lifecycle.request_cancel(stage.submit(mailed).pk)
    assert states() == []


def test_jobs_of_programs_are_not_announced(stage: Stage, mailed: User) -> None:
    stage.completed(mailed, channel=Channel.API)
    assert states() == []


def test_an_account_that_was_deactivated_is_told_nothing(stage: Stage, mailed: User, subscribed: Any) -> None:
    subscribed(mailed)
    job = stage.decoded(mailed, 1)
    User.objects.filter(pk=mailed.pk).update(is_active=False)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"))
    assert not Notice.objects.filter(job=job).exists()


def test_an_end_that_is_rolled_back_announces_nothing(stage: Stage, mailed: User) -> None:
    stage.decoded(mailed, 1)
    stage.hear(stage.run("speech"))
    with transaction.atomic():
        stage.assemble(stage.run("deliver"))
        assert states() == ["due"]
        transaction.set_rollback(True)
    assert states() == []


def test_news_that_were_not_told_before_a_restart_make_room_for_the_new_ones(stage: Stage, mailed: User) -> None:
    job = stage.prepared(mailed)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    lifecycle.restart(job.pk)
    stage.prepare(stage.run("speech"))
    lifecycle.fail(stage.run("fetch"), JobError("source_blocked"))
    assert states() == ["due"]


def test_a_restarted_job_is_not_told_of_as_failed(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    job = stage.prepared(mailed)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    lifecycle.restart(job.pk)
    send()
    assert mailoutbox == []
    assert states() == []


def test_a_deleted_job_takes_its_notices_along(stage: Stage, mailed: User) -> None:
    job = stage.completed(mailed)
    lifecycle.delete(job.pk)
    assert states() == []


def test_a_browser_is_of_whoever_subscribed_it_last(alice: User, bob: User, subscribed: Any) -> None:
    browser = subscribed(alice)
    notices.subscribe(bob, **browser.told)
    assert PushSubscription.objects.get().user == bob


def test_whoever_subscribes_it_reads_nothing_of_who_had_it(
    stage: Stage, alice: User, bob: User, service: Receiver, subscribed: Any
) -> None:
    browser = subscribed(alice)
    stage.completed(alice, source_label="A matter of Alice's")
    notices.subscribe(bob, **browser.told)
    send()
    assert service.calls == []
    assert states() == []


def test_no_more_than_twenty_browsers_of_a_person_are_kept(alice: User, subscribed: Any) -> None:
    for number in range(notices.MOST_BROWSERS + 2):
        subscribed(alice, str(number))
    left = [one.endpoint.rsplit("/", 1)[1] for one in alice.push_subscriptions.order_by("pk")]
    assert left == [str(number) for number in range(2, notices.MOST_BROWSERS + 2)]
