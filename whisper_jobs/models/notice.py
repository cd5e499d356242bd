"""Words to a person when their recording is done: mails and web pushes, written with the change that they tell of."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import Job


class PushSubscription(models.Model):
    """A browser that somebody allowed to be woken, as the Push API describes it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.TextField()
    #: SHA-256 of the endpoint, which may be long.
    digest = models.CharField(max_length=64, unique=True)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"push subscription of {self.user_id}"


class NoticeState(models.TextChoices):
    DUE = "due", _("Waiting to be sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Notice(models.Model):
    """One mail (no subscription) or one push. Claimed by `run_id` as a delivery is; sent at least once."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subscription = models.ForeignKey(PushSubscription, on_delete=models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=6, choices=NoticeState, default=NoticeState.DUE)
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    run_id = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_at"], name="notice_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"notice of job {self.job_id}"
