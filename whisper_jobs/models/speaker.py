"""Enrolled speakers: people who agreed to be recognised by their voice, what is kept of it, and where it was used."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import Job


class Scope(models.TextChoices):
    """In whose recordings a speaker is recognised, and who sees the profile."""

    GLOBAL = "global", _("Everybody on this server")
    TENANT = "tenant", _("My organisation")
    USER = "user", _("Me")


class EnrollmentStatus(models.TextChoices):
    PENDING = "pending", _("Being enrolled")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    EVICTED = "evicted", _("Erased")


class Speaker(models.Model):
    """Once erased (`tombstoned_at`) only the row's key, tenant and times are left: nothing that names or describes a person."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="speakers")
    scope = models.CharField(max_length=6, choices=Scope, default=Scope.USER)
    display_name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    language_primary = models.CharField(max_length=16)
    enrollment_status = models.CharField(max_length=7, choices=EnrollmentStatus, default=EnrollmentStatus.PENDING)
    consent_user_full_name = models.CharField(max_length=200)
    consent_stated_purpose = models.TextField()
    #: The exact text that the speaker agreed to.
    consent_text = models.TextField()
    #: Names in storage; empty once erased.
    reference = models.CharField(max_length=200, blank=True)
    consent = models.CharField(max_length=200, blank=True)
    preflight = models.JSONField(default=dict)
    #: Grows with every change of the voice, so that a worker knows whether what it holds is old.
    voice_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    tombstoned_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["tenant", "scope", "-created_at"], name="speaker_tenant"),
            models.Index(fields=["owner", "-created_at"], name="speaker_owner"),
            models.Index(fields=["scope"], name="speaker_there", condition=Q(tombstoned_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"speaker {self.pk}"


class VoiceSample(models.Model):
    """One vector of a speaker's voice: of the reference recording, or of a job in which a person named them.

    `sealed` is the vector (little-endian float32, base64) under accounts.seal: a voice is as good as a fingerprint.
    """

    speaker = models.ForeignKey(Speaker, on_delete=models.CASCADE, related_name="samples")
    #: The network that made the vector; others can't be compared with it.
    encoder = models.CharField(max_length=40)
    sealed = models.TextField()
    seconds = models.FloatField()
    #: Where it was heard; null for the reference. With the job goes what was learnt from it.
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, related_name="+")
    label = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["speaker", "encoder"], name="sample_of_reference", condition=Q(job__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["speaker", "job", "label"], name="sample_of_job", condition=Q(job__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"voice of speaker {self.speaker_id}"


class HowNamed(models.TextChoices):
    RECOGNISED = "recognised", _("Recognised by the voice")
    NAMED = "named", _("Named by a person")


class JobVoice(models.Model):
    """The voice of one label of a job's diarization, and which enrolled speaker it is taken for.

    The vector (sealed as a sample's) lets a person's naming teach the speaker without hearing the recording again; it goes
    when the job goes. `denied` are the speakers whom a person said it is not.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="voices")
    label = models.CharField(max_length=64)
    encoder = models.CharField(max_length=40)
    sealed = models.TextField()
    seconds = models.FloatField()
    speaker = models.ForeignKey(Speaker, on_delete=models.SET_NULL, null=True, related_name="heard")
    how = models.CharField(max_length=10, choices=HowNamed, blank=True)
    #: Cosine of the angle to the speaker's voice, where it was recognised.
    score = models.FloatField(null=True)
    denied = models.JSONField(default=list)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "label"], name="voice_once")]

    def __str__(self) -> str:
        return f"voice {self.label} of job {self.job_id}"


class ReplicaState(models.TextChoices):
    WARM = "warm", _("Holds the voice")
    EVICTED = "evicted", _("Has dropped the voice")
    FAILED = "failed", _("Failed")


class Replica(models.Model):
    """What one worker (node) says it holds of one speaker. Written by that worker alone."""

    speaker = models.ForeignKey(Speaker, on_delete=models.CASCADE, related_name="replicas")
    #: Name of the worker, as in Worker.
    node = models.CharField(max_length=120)
    state = models.CharField(max_length=7, choices=ReplicaState)
    voice_version = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["speaker", "node"], name="replica_once")]

    def __str__(self) -> str:
        return f"speaker {self.speaker_id} on {self.node}"
