"""Minutes that all users of a tenant share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import Tenant, User
from tests.conftest import Tools
from tests.core.play import URL, Stage, fresh
from whisper_jobs import lifecycle, limits
from whisper_jobs.models import Job, TenantPolicy

JOBS = "/api/whisper/jobs"


def share(tenant: Tenant, minutes: int | None) -> None:
    TenantPolicy.objects.update_or_create(tenant=tenant, defaults={"monthly_minutes": minutes})


def test_what_one_uses_is_not_left_for_another(api: Any, stage: Stage, alice: User, bob: User) -> None:
    share(alice.tenant, 1)
    stage.completed(alice, 6)
    answer = api(bob).post(JOBS, {"source_url": URL}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "quota_exceeded")
    assert "your organisation has this month" in answer.json()["message"]
    assert answer.json()["limits"]["limited_by"] == "organisation"


def test_another_organisation_is_not_counted(api: Any, stage: Stage, alice: User, erik: User) -> None:
    share(alice.tenant, 1)
    limits.charge(Job(owner=erik), 600)
    assert limits.standing(alice).left_seconds == 60


def test_who_has_less_left_decides(alice: User, bob: User) -> None:
    share(alice.tenant, 10)
    alice.monthly_minutes = 5
    now = limits.standing(alice)
    assert (now.left_minutes, now.is_shared) == (5.0, False)
    limits.charge(Job(owner=bob), 8 * 60)
    now = limits.standing(alice)
    assert (now.left_minutes, now.monthly_minutes, now.is_shared) == (2.0, 10, True)


def test_what_running_jobs_of_others_need_is_not_left(stage: Stage, alice: User, bob: User) -> None:
    share(alice.tenant, 1)
    stage.decoded(alice, 4)
    second = stage.submit(bob)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/1/original", source_duration_seconds=25.0)
    ended = fresh(second)
    assert ended.failure_code == "quota_exceeded"
    assert "The organisation's minutes" in ended.failure_error
    assert ended.log_lines.filter(message__contains="0.3 of the organisation's 1 are left").exists()


def test_admins_have_no_limit_but_what_they_use_counts(admin: User, alice: User) -> None:
    share(admin.tenant, 1)
    limits.charge(Job(owner=admin), 60)
    limits.demand(admin)
    with pytest.raises(limits.QuotaExceeded):
        limits.demand(alice)


def test_the_tier_of_the_server_counts_before_there_is_a_policy(alice: User, tools: Tools) -> None:
    tools(tenant_tier="trial")
    assert limits.standing(alice).left_minutes == 300


def test_the_page_says_whose_minutes_they_are(client: Client, alice: User) -> None:
    share(alice.tenant, 90)
    client.force_login(alice)
    assert "90 of your organisation's 90 minutes this month are left" in client.get("/whisper").text.replace(
        "&#x27;", "'"
    )


@pytest.mark.django_db(transaction=True)
def test_two_users_at_once_get_no_more_than_is_left(stage: Stage, alice: User, bob: User) -> None:
    share(alice.tenant, 1)
    jobs = [stage.submit(alice), stage.submit(bob)]
    together = Barrier(2)

    def lengthen(job: Job) -> bool:
        together.wait()
        try:
            with transaction.atomic():
                held = Job.objects.select_for_update(of=("self",)).select_related("owner").get(pk=job.pk)
                held.source_duration_seconds = 40.0
                lacks = limits.lacks_minutes(held) is not None
                if not lacks:
                    held.save(update_fields=["source_duration_seconds"])
                return lacks
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lengthen, jobs)) == [False, True]
