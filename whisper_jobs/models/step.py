"""A step of a job: one claimable piece of work with its own state, attempts and error. A window is a step of kind window."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from whisper_jobs.models.job import Job
from whisper_jobs.states import Kind, Lane, StepState


class Step(models.Model):
    # The constraint and indexes below begin with these keys, so they need none of their own.
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    #: Number of the window; 0 for the other kinds.
    index = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=StepState, default=StepState.WAITING)

    # Copies of the job's, so that a claim reads one index.
    lane = models.CharField(max_length=8, choices=Lane)
    priority = models.SmallIntegerField(default=0)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: Place in the lane, given when the step becomes ready (see schedule).
    turn = models.BigIntegerField(default=0)
    #: 0 for a job's first words and short jobs, more for the rest of longer ones (see schedule).
    level = models.SmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)

    #: Names the claim. Whoever writes must still hold it.
    run_id = models.UUIDField(null=True, unique=True)
    worker = models.CharField(max_length=120, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)

    # Windows only.
    start_seconds = models.FloatField(default=0.0)
    end_seconds = models.FloatField(default=0.0)
    speech = models.JSONField(default=list)
    audio = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "kind", "index"], name="step_once")]
        indexes = [
            models.Index(
                fields=["lane", "-priority", "turn", "id"], name="step_ready", condition=Q(state=StepState.READY)
            ),
            models.Index(fields=["owner", "kind", "turn"], name="step_owner_turn"),
            models.Index(
                fields=["lane", "priority", "turn"],
                name="step_served",
                condition=Q(state__in=[StepState.RUNNING, StepState.DONE]),
            ),
            models.Index(
                fields=["owner", "lane"],
                name="step_window_active",
                condition=Q(state__in=[StepState.READY, StepState.RUNNING], kind=Kind.WINDOW),
            ),
            models.Index(
                fields=["owner", "level", "job", "index"],
                name="step_next_window",
                condition=Q(state=StepState.WAITING, kind=Kind.WINDOW),
            ),
            models.Index(fields=["heartbeat_at"], name="step_running", condition=Q(state=StepState.RUNNING)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.index} of job {self.job_id}"
