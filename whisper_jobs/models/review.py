"""A person's approval, which a job may wait for before it completes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import Job


class ReviewState(models.TextChoices):
    WAITING = "waiting", _("Waiting for an editor")
    ASSIGNED = "assigned", _("Being edited")
    SUBMITTED = "submitted", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    RETURNED = "returned", _("Sent back")


class Review(models.Model):
    """Where it stands; what was said on the way is in the job's runtime log. `note` is the newest word to the other side."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="review", primary_key=True)
    state = models.CharField(max_length=9, choices=ReviewState, default=ReviewState.WAITING)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="reviews")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    changed_at = models.DateTimeField()
    #: The version of the transcript that was approved.
    approved_number = models.PositiveIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"review of job {self.job_id}"
