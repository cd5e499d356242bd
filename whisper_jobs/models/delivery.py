"""The outbox of callbacks: a row is made with the job, the write that ends the job makes it due, a deliverer sends it."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import PersonalToken
from whisper_jobs.models.job import Job


class DeliveryState(models.TextChoices):
    #: Its job has not ended yet.
    HELD = "held", _("Waiting for the job to end")
    DUE = "due", _("Waiting to be sent")
    DELIVERED = "delivered", _("Delivered")
    #: Every attempt failed, or the receiver answered 410; a replay makes it due again.
    FAILED = "failed", _("Failed")
    #: Its job was restarted before it was sent.
    DROPPED = "dropped", _("Dropped")


class DeliveryForm(models.TextChoices):
    """How the news is written, and what counts as taken."""

    #: JSON in the published envelope, signed; any 2xx.
    ENVELOPE = "envelope"
    #: A form with the order's number and how it ended; an answer that says OK.
    STATUS = "status"


class Delivery(models.Model):
    """One event for one address. `message_id` is the same over all attempts."""

    #: None for the test event of a token.
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, related_name="deliveries", db_index=False)
    #: Signs it; None when the token was deleted, then it goes unsigned.
    token = models.ForeignKey(PersonalToken, on_delete=models.SET_NULL, null=True, related_name="+")
    message_id = models.UUIDField(default=uuid4, unique=True)
    url = models.TextField()
    #: Of the URL: so many are sent to one host at a time.
    host = models.CharField(max_length=255, blank=True)
    event = models.CharField(max_length=40, blank=True)
    form = models.CharField(max_length=8, choices=DeliveryForm, default=DeliveryForm.ENVELOPE)
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.HELD)
    #: None for all that are not due; and for a claimed one whose job was restarted, so that this is its last attempt.
    due_at = models.DateTimeField(null=True)
    #: All that were made, and those since it was last made due: its place in the schedule.
    attempts = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_attempt_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    http_status = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True)

    #: Names the claim of a deliverer, as a step's does.
    run_id = models.UUIDField(null=True)
    worker = models.CharField(max_length=120, blank=True)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["job", "-id"], name="delivery_of_job"),
            # With the host, so that passing over those of a slow one reads nothing but the index. All that are not due have no
            # time, and SQLite sees from a comparison with it that the index will do, as it can't from a state.
            models.Index(fields=["due_at", "id", "host"], name="delivery_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["-last_attempt_at"], name="delivery_failed", condition=Q(state=DeliveryState.FAILED)),
            models.Index(fields=["worker"], name="delivery_claimed", condition=Q(run_id__isnull=False)),
            models.Index(fields=["token", "-id"], name="delivery_test", condition=Q(job__isnull=True)),
        ]
        verbose_name, verbose_name_plural = _("callback"), _("callbacks")

    def __str__(self) -> str:
        return f"{self.event or 'callback'} to {self.url}"

    @property
    def webhook_id(self) -> str:
        """As receivers see it."""
        return f"msg_{self.message_id.hex}"


class Attempt(models.Model):
    """One try to deliver: what was answered, or why nothing was."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log", db_index=False)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    http_status = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["delivery", "id"], name="attempt_in_order")]

    def __str__(self) -> str:
        return f"attempt {self.number} of delivery {self.delivery_id}"
