"""Which job a client's Idempotency-Key has made, so that a repeated request makes no second one."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from whisper_jobs.models.job import Job


class IdempotencyKey(models.Model):
    """Written in the transaction that makes the job. `fingerprint` is a SHA-256 over what was asked."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_once")]

    def __str__(self) -> str:
        return self.key
