"""Of several deliverers each callback has one; what a dead one held is freed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from tests.callbacks.conftest import deliverer, only, send
from tests.callbacks.receiver import Call, Handler, Receiver, hang, receiving
from tests.core.play import Stage
from whisper_jobs import callbacks, posting, presence, tasks
from whisper_jobs.models import Attempt, Delivery, DeliveryState, Job

pytestmark = pytest.mark.serve

Make = Callable[..., Job]
CLAIMER = """
import json, sys, django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from whisper_jobs import callbacks
taken, misses = [], 0
while misses < 3:
    claimed = callbacks.claim(sys.argv[2], slots=7, room=lambda host: 100)
    taken += [delivery.pk for delivery in claimed]
    misses = 0 if claimed else misses + 1
print(json.dumps(taken))
"""


def due(job: Job, *hosts: str, **fields: object) -> None:
    at = timezone.now() - timedelta(seconds=1000)
    rows = [
        Delivery(
            job=job,
            url=f"http://{host}/",
            host=host,
            event="whisper.job.completed",
            state=DeliveryState.DUE,
            due_at=at + timedelta(seconds=place),
            **fields,
        )
        for place, host in enumerate(hosts)
    ]
    Delivery.objects.bulk_create(rows)


def roomy(host: str) -> int:
    return 100


@pytest.mark.django_db(transaction=True)
def test_four_processes_never_claim_the_same_callback(stage: Stage, alice: User) -> None:
    due(stage.submit(alice), *["a.test"] * 400)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    database = str(connection.settings_dict["NAME"])
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, database, f"w{n}"], env=environment, stdout=subprocess.PIPE, text=True
        )
        for n in range(4)
    ]
    taken = [pk for claimer in claimers for pk in json.loads(claimer.communicate(timeout=120)[0])]
    assert len(taken) == len(set(taken)) == 400


def test_the_longest_due_go_first_and_no_more_than_there_are_places(stage: Stage, alice: User) -> None:
    due(stage.submit(alice), "a.test", "b.test", "c.test")
    assert [one.host for one in callbacks.claim("w", slots=2, room=roomy)] == ["a.test", "b.test"]
    assert [one.host for one in callbacks.claim("w", slots=2, room=roomy)] == ["c.test"]
    assert callbacks.claim("w", slots=2, room=roomy) == []


def test_a_host_gets_no_more_than_it_has_room_for(stage: Stage, alice: User) -> None:
    due(stage.submit(alice), *["a.test"] * 300, "b.test", "c.test", "b.test")
    taken = callbacks.claim("w", slots=10, room=lambda host: 2, full=["c.test"])
    assert [one.host for one in taken] == ["a.test", "a.test", "b.test", "b.test"]


def test_what_is_due_later_is_left(stage: Stage, alice: User) -> None:
    due(stage.submit(alice), "a.test")
    later = timezone.now() + timedelta(minutes=5)
    Delivery.objects.update(due_at=later)
    assert callbacks.claim("w", slots=1, room=roomy) == []
    assert callbacks.next_due() == later
    assert callbacks.next_due(["a.test"]) is None


def test_claiming_takes_the_same_queries_however_many(
    stage: Stage, alice: User, django_assert_max_num_queries: Any
) -> None:
    due(stage.submit(alice), *["a.test"] * 190)
    with django_assert_max_num_queries(6):
        assert len(callbacks.claim("w", slots=100, room=roomy)) == 100


def test_looking_for_what_is_due_never_reads_the_whole_table(stage: Stage, alice: User) -> None:
    """Whatever else was delivered in all the years. Asked with parameters, since SQLite chooses an index without knowing them."""
    due(stage.submit(alice), "a.test")
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "whisper_delivery" in sql:
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert len(callbacks.claim("w", slots=2, room=roomy, full=["b.test"])) == 1
        callbacks.next_due(["b.test"])
        callbacks.free("w")
        callbacks.free_silent()
    assert len(asked) == 7
    for sql, params in asked:
        assert not re.search(r"SCAN whisper_delivery(?! USING)|Seq Scan on whisper_delivery", plan_of(sql, params)), sql


def plan_of(sql: str, params: Any) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}", params)
        return "\n".join(str(row) for row in cursor.fetchall())


def test_whoever_lost_the_claim_stores_nothing(completed: Make, receiver: Receiver) -> None:
    completed()
    (old,) = callbacks.claim("dead", slots=1, room=roomy)
    assert callbacks.free("dead") == 1
    (new,) = callbacks.claim("w", slots=1, room=roomy)
    assert not callbacks.record(old, posting.Outcome(500, "answer"))
    assert Attempt.objects.count() == 0
    assert callbacks.record(new, posting.Outcome(200))
    assert not callbacks.record(new, posting.Outcome(500, "answer"))
    assert (only().state, only().attempts) == (DeliveryState.DELIVERED, 1)


def test_a_claim_of_a_worker_that_died_on_this_host_is_freed_at_once(completed: Make) -> None:
    completed()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = presence.Process(presence.here(), child.pid, psutil.Process(child.pid).create_time())
    presence.seen(dead, ["deliver"])
    callbacks.claim(dead.name, slots=1, room=roomy)
    tasks.sweep()
    assert only().run_id is not None, "it lives"
    child.kill()
    child.communicate()
    tasks.sweep()
    delivery = only()
    assert (delivery.run_id, delivery.state, delivery.attempts) == (None, DeliveryState.DUE, 0)
    assert len(callbacks.claim("w", slots=1, room=roomy)) == 1


def test_a_claim_of_another_host_is_freed_when_no_exchange_can_last_so_long(completed: Make) -> None:
    completed()
    callbacks.claim("elsewhere:1:1", slots=1, room=roomy)
    assert callbacks.free_silent() == 0
    Delivery.objects.update(claimed_at=timezone.now() - callbacks.LEASE - timedelta(seconds=1))
    tasks.sweep()
    assert only().run_id is None
    assert timedelta(seconds=2 * posting.TIMEOUT_SECONDS) < callbacks.LEASE


def test_a_deliverer_that_is_asked_to_stop_takes_nothing_more(completed: Make, receiver: Receiver) -> None:
    completed()
    by = deliverer()
    by.stop()
    by.turn()
    assert receiver.connections == 0
    assert only().run_id is None


@pytest.mark.django_db(transaction=True)
def test_what_is_on_its_way_when_the_process_ends_is_recorded(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [slowly]
    by = deliverer()
    by.start()
    while not receiver.calls:
        receiver.closing.wait(0.01)
    by.stop()
    by.end(5.0)
    assert only().state == DeliveryState.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_what_hangs_when_the_process_ends_is_handed_back_for_later(completed: Make) -> None:
    with receiving(Receiver()) as hanging:
        hanging.answers = [hang]
        completed(callback_url=hanging.url)
        by = deliverer()
        by.start()
        while not hanging.calls:
            hanging.closing.wait(0.01)
        by.stop()
        by.end(0.2)
        delivery = only()
        assert (delivery.run_id, delivery.state, delivery.attempts) == (None, DeliveryState.DUE, 0)
        assert callbacks.claim("w", slots=1, room=roomy) == [], "what was begun may still arrive"


@pytest.mark.django_db(transaction=True)
def test_a_thread_sends_what_becomes_due_by_itself_and_at_a_bell(completed: Make, receiver: Receiver) -> None:
    by = deliverer()
    by.start()
    try:
        completed()
        by.ring()
        wait_for(lambda: len(receiver.calls) == 1)
        completed()
        wait_for(lambda: len(receiver.calls) == 2)
    finally:
        by.stop()
        by.end(5.0)


def slowly(handler: Handler, call: Call) -> None:
    time.sleep(0.3)
    handler.reply(200)


def wait_for(fact: Callable[[], bool], seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if fact():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def test_a_claim_that_is_not_recorded_is_sent_again_with_the_same_id(completed: Make, receiver: Receiver) -> None:
    """Killed between the answer and the record: at least once."""
    completed()
    by = deliverer(worker="dead")
    by.turn()
    wait_for(lambda: len(receiver.calls) == 1)
    del by
    callbacks.free("dead")
    send()
    assert len(receiver.calls) == 2
    assert len({call.id for call in receiver.calls}) == 1
    assert only().state == DeliveryState.DELIVERED
