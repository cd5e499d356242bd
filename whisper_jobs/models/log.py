"""The runtime log of a job, as its owner reads it."""

from __future__ import annotations

from django.db import models

from whisper_jobs.models.job import Job


class LogLine(models.Model):
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines", db_index=False)
    at = models.DateTimeField()
    level = models.CharField(max_length=8)
    stage = models.CharField(max_length=16)
    message = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["job", "id"], name="log_in_order")]

    def __str__(self) -> str:
        return self.message
