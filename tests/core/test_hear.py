"""A worker hears every bell, also after some whose acknowledgement was lost with the broker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from config.celery import app
from tests.broker import running_broker
from tests.core.play import Stage
from whisper_jobs.pipeline.heart import DEAF_SECONDS, Heart

ROOT = Path(__file__).resolve().parents[2]
#: Celery lets a worker hold as many bells as the machine has processors.
LOST = os.cpu_count() or 1
#: A worker as the product starts it, whose first acknowledgements fail as they do when the broker is killed just then.
WORKER = """
import sys
import django
django.setup()
import whisper_jobs.tasks
from celery.signals import worker_ready
from kombu.transport.redis import QoS
from redis.exceptions import ConnectionError
from config.celery import app

real, lost = QoS.ack, []

def ack(self, tag):
    if len(lost) < int(sys.argv[2]):
        lost.append(tag)
        raise ConnectionError("the broker is gone")
    return real(self, tag)

QoS.ack = ack
worker_ready.receivers.clear()

@app.task(name="test.note")
def note(text):
    with open(sys.argv[1], "a") as out:
        out.write(text + "\\n")

app.worker_main(["worker", "--queues", "fetch", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"])
"""


def test_a_lost_acknowledgement_makes_no_worker_deaf(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    environment = {**os.environ, "TOOLS_DATA_DIR": str(settings.DATA_DIR)}
    with running_broker():
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(notes), str(LOST)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            bells = [f"bell-{number}" for number in range(LOST + 2)]
            for bell in bells:
                app.send_task("test.note", args=[bell], queue="fetch")
            _wait_for(notes, bells)
        finally:
            worker.kill()
            worker.wait(15)


def _wait_for(notes: Path, wanted: list[str]) -> None:
    until = time.monotonic() + 20
    heard: list[str] = []
    while time.monotonic() < until:
        heard = notes.read_text().split() if notes.exists() else []
        if heard == wanted:
            return
        time.sleep(0.1)
    pytest.fail(f"only {heard} were heard")


@pytest.mark.django_db(transaction=True)
def test_an_idle_worker_that_hears_nothing_ends_itself(
    stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    clock = [1000.0]
    monkeypatch.setattr("whisper_jobs.pipeline.heart.os._exit", ended.append)
    monkeypatch.setattr("whisper_jobs.pipeline.heart.time.monotonic", lambda: clock[0])
    deaf = Heart(["speech"], beat_seconds=1.0, limits={})
    clock[0] += DEAF_SECONDS + 1
    deaf.beat()
    assert ended == [], "there is no work"
    stage.submit(alice)
    deaf.beat()
    assert ended == [], "the work has only just come"
    clock[0] += DEAF_SECONDS + 1
    deaf.hear()
    deaf.beat()
    assert ended == [], "a bell was heard"
    clock[0] += DEAF_SECONDS + 1
    deaf.beat()
    assert ended == [75]
