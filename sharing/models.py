"""A share: the link by which anyone may read one transcript, until it expires or is revoked."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whisper_jobs.models import Job

TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits, which nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Share(models.Model):
    """The token stands in clear text, since its owner must be able to copy the link again."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="shares")
    token = models.CharField(max_length=64, unique=True, default=new_token)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    #: A password hash; empty when the link alone opens it.
    passcode = models.CharField(max_length=200, blank=True)
    allow_audio = models.BooleanField(default=False)
    show_analysis = models.BooleanField(default=True)
    views = models.PositiveBigIntegerField(default=0)
    last_viewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["job"], condition=Q(revoked_at=None), name="share_once"),
        ]

    def __str__(self) -> str:
        return f"share of job {self.job_id}"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
