"""A worker process that is up. Its row is a sign of life, written every few seconds and removed when it is found dead."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from whisper_jobs.states import Lane

#: A worker that was not seen for longer is not counted on.
FRESH = timedelta(seconds=15)


class Worker(models.Model):
    name = models.CharField(max_length=120, primary_key=True)
    lane = models.CharField(max_length=8, choices=Lane)
    #: Where its pid means something: host, boot and pid namespace.
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    #: The process's start time, since pids are used again.
    born = models.FloatField()
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
