"""The Celery application: four lanes, no results, a sweep every few seconds. Messages are doorbells and carry no state."""

from __future__ import annotations

import os

from celery import Celery
from kombu.common import Broadcast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

LANES = ("fetch", "speech", "enrich", "deliver")
#: Every worker of the speech lane hears every message in it: whose voice to look at (whisper_jobs/speaker_nodes.py).
VOICES = "voices"


def voices_queue() -> Broadcast:
    """Each call gives one of its own name: two workers that share one would share its messages."""
    return Broadcast(VOICES)  # type: ignore[no-untyped-call]


app = Celery("tools_whisper")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A web request that rings a dead broker must not wait for it: the sweeper rings again.
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 0},
    task_publish_retry=False,
    task_ignore_result=True,
    task_queues={**{lane: {} for lane in LANES}, VOICES: voices_queue()},
    task_default_queue="deliver",
    task_create_missing_queues=False,
    worker_pool="solo",
    # No limit: a bell whose acknowledgement is lost with the broker counts as held for good, and with a limit of one the
    # worker would never listen again. The solo pool takes one bell at a time anyway.
    worker_prefetch_multiplier=0,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    beat_max_loop_interval=1,
    beat_schedule={
        "sweep": {
            "task": "whisper.sweep",
            "schedule": settings.TOOLS.sweep_seconds,
            "options": {"queue": "deliver", "expires": settings.TOOLS.sweep_seconds},
        },
        "index": {"task": "whisper.index", "schedule": 10.0, "options": {"queue": "deliver", "expires": 10.0}},
        "reap": {"task": "whisper.reap", "schedule": 3600.0, "options": {"queue": "deliver", "expires": 3600.0}},
    },
)
app.autodiscover_tasks(["whisper_jobs"])
