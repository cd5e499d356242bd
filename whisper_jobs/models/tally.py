"""Counts of jobs per owner, channel and status, kept by lifecycle, so that no page counts a table of a million rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from whisper_jobs.models.job import Channel
from whisper_jobs.states import Status


class Tally(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=8, choices=Channel)
    status = models.CharField(max_length=16, choices=Status)
    jobs = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "channel", "status"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.jobs} {self.status}"
