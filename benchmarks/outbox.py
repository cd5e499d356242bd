"""Fills the outbox for the callbacks figure: `EMAIL COUNT URL` makes so many completed jobs whose callbacks are due at once."""

from __future__ import annotations

import sys

import django

django.setup()

from django.db import transaction
from django.utils import timezone

from accounts import tokens
from accounts.models import PersonalToken, User
from whisper_jobs import outbox
from whisper_jobs.models import Channel, Delivery, DeliveryState, Job, SourceType, Transcript
from whisper_jobs.states import Stage

#: About what is said in ten minutes.
TEXT = "The words of a recording that nobody made. " * 200


def fill(email: str, count: int, url: str) -> None:
    owner, now = User.objects.get(email=email), timezone.now()
    tokens.create(owner, tokens.API)
    token = PersonalToken.objects.get(user=owner)
    told = {"channel": Channel.API, "source_type": SourceType.URL, "stage": Stage.COMPLETED, "completed_at": now}
    with transaction.atomic():
        jobs = Job.objects.bulk_create(
            [Job(owner=owner, tenant_id=owner.tenant_id, requested_model="auto", **told) for _ in range(count)]
        )
        Transcript.objects.bulk_create([Transcript(job=job, text=TEXT) for job in jobs])
        due = {"state": DeliveryState.DUE, "event": outbox.COMPLETED, "due_at": now, "token": token}
        Delivery.objects.bulk_create([Delivery(job=job, url=url, host="127.0.0.1", **due) for job in jobs])


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]), sys.argv[3])
