"""A job: one recording handed in by one user. What lists and sockets show stands in this row alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from whisper_jobs.states import ACTIVE, STATUS_OF, TERMINAL, UNHEARD, Stage, Status


class Channel(models.TextChoices):
    WEB = "web", _("Web queue")
    API = "api", _("API queue")


class SourceType(models.TextChoices):
    URL = "url", _("Link")
    UPLOAD = "upload", _("Upload")


class Task(models.TextChoices):
    TRANSCRIBE = "transcribe", _("Write what is said")
    TRANSLATE = "translate", _("Write it in English")


class BackendPreference(models.TextChoices):
    """Which of the backends a job would like; what its owner is allowed decides."""

    ANY = "any", _("Any")
    A = "A", _("This server")
    B = "B", _("The relay")


class Job(models.Model):
    """Seconds are of the recording's clock unless the name ends in `_at`."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs", db_index=False)
    #: The owner's when the job was made; managers see the jobs of their own tenant.
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.CharField(max_length=8, choices=Channel)
    #: 1 for admins, else 0; copied to the steps, which are claimed by it.
    priority = models.SmallIntegerField(default=0)
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.QUEUED)
    stage_detail = models.CharField(max_length=300, blank=True)
    progress = models.FloatField(default=0.0)
    #: Grows by one with every visible change.
    revision = models.PositiveIntegerField(default=1)
    attempts = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    cancel_requested_at = models.DateTimeField(null=True)
    #: In the trash since then: seen nowhere else, deleted after a while.
    trashed_at = models.DateTimeField(null=True)

    source_type = models.CharField(max_length=8, choices=SourceType)
    source_url = models.TextField(blank=True)
    source_filename = models.CharField(max_length=255, blank=True)
    source_label = models.CharField(max_length=200, blank=True)
    source_note = models.TextField(blank=True)
    source_title = models.CharField(max_length=500, blank=True)
    source_description = models.TextField(blank=True)
    source_mime = models.CharField(max_length=100, blank=True)
    source_size_bytes = models.BigIntegerField(null=True)
    source_duration_seconds = models.FloatField(null=True)
    source_sha256 = models.CharField(max_length=64, blank=True)
    #: Name in Django's storage of the original; empty until it is there.
    media = models.CharField(max_length=200, blank=True)
    #: When the original was deleted because its time was over (see retention); the words stay.
    media_removed_at = models.DateTimeField(null=True)

    requested_model = models.CharField(max_length=100)
    language = models.CharField(max_length=16, blank=True)
    task = models.CharField(max_length=10, choices=Task, default=Task.TRANSCRIBE)
    initial_prompt = models.TextField(blank=True)
    #: Names and terms that are likely to occur.
    hotwords = models.JSONField(default=list)
    #: None for the engine's own.
    temperature = models.FloatField(null=True)
    min_speakers = models.PositiveSmallIntegerField(null=True)
    max_speakers = models.PositiveSmallIntegerField(null=True)
    backend_preference = models.CharField(max_length=3, choices=BackendPreference, default=BackendPreference.ANY)
    analysis_language = models.CharField(max_length=16, blank=True)
    translation_target_languages = models.JSONField(default=list)
    disable_diarization = models.BooleanField(default=False)
    #: It completes when a person has approved of its transcript.
    needs_approval = models.BooleanField(default=False)
    #: Only so much of the recording's beginning is heard; None for all of it.
    most_seconds = models.FloatField(null=True)
    #: Voices that came along, each {"name", "media"}: a person's name, and a sample beside the original in storage.
    known_speakers = models.JSONField(default=list)
    #: What is made up in place of the work, as sandbox.Script has it; None for a job that is worked on.
    sandbox = models.JSONField(null=True)
    #: Filled by the prepare step, on the machine that transcribes.
    engine = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=100, blank=True)
    engine_reason = models.CharField(max_length=300, blank=True)
    quality = models.CharField(max_length=8, blank=True)
    #: A: this server's own engines; B: the relay.
    backend = models.CharField(max_length=1, blank=True)
    detected_language = models.CharField(max_length=16, blank=True)
    language_probability = models.FloatField(null=True)

    windows_total = models.PositiveIntegerField(default=0)
    windows_done = models.PositiveIntegerField(default=0)
    window_seconds_total = models.FloatField(default=0.0)
    window_seconds_done = models.FloatField(default=0.0)
    decoded_at = models.DateTimeField(null=True)
    speech_seconds = models.FloatField(default=0.0)
    #: When transcribing began in this attempt, and how much was done before: the base of the ETA.
    speech_started_at = models.DateTimeField(null=True)
    speech_base_seconds = models.FloatField(default=0.0)

    failure_code = models.CharField(max_length=40, blank=True)
    failure_error = models.TextField(blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        default_permissions = ()
        permissions = [
            ("use", "May use the transcription queue"),
            ("manage", "May see and run the whole queue"),
            ("api", "May submit through the token API"),
            ("scaiecho_transcribe", "May transcribe through the speech API"),
            ("scaiecho_diarize", "May have speakers told apart through the speech API"),
            ("scaiecho_enroll", "May enrol speakers"),
            ("scaiecho_admin", "May set their organisation's policy and see its recordings and audit log"),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_owner_newest"),
            models.Index(fields=["owner", "stage", "-id"], name="job_owner_stage"),
            models.Index(fields=["stage", "-id"], name="job_stage_newest"),
            models.Index(fields=["tenant", "-id"], name="job_tenant_newest"),
            models.Index(fields=["tenant", "stage", "-id"], name="job_tenant_stage"),
            models.Index(fields=["owner", "channel", "-id"], name="job_owner_channel"),
            models.Index(fields=["tenant", "channel", "-id"], name="job_tenant_channel"),
            models.Index(fields=["channel", "-id"], name="job_channel_newest"),
            models.Index(fields=["priority", "owner", "id"], name="job_unheard", condition=Q(stage__in=UNHEARD)),
            models.Index(fields=["changed_at"], name="job_active", condition=Q(stage__in=ACTIVE)),
            models.Index(fields=["media"], name="job_media"),
            models.Index(fields=["owner", "-id"], name="job_sandbox", condition=Q(sandbox__isnull=False)),
            models.Index(fields=["trashed_at"], name="job_trashed", condition=Q(trashed_at__isnull=False)),
            models.Index(fields=["completed_at"], name="job_ended", condition=Q(completed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}"

    @property
    def status(self) -> Status:
        return STATUS_OF[self.stage]

    @property
    def is_terminal(self) -> bool:
        return self.stage in TERMINAL

    @property
    def text_language(self) -> str:
        """Of the transcript: English where that was asked for, else what was said; empty where nobody knows."""
        return "en" if self.task == Task.TRANSLATE else self.detected_language or self.language

    @property
    def title(self) -> str:
        """What people call it: their own title, else the source's, else the file's name, else the link."""
        return self.source_label or self.source_title or self.source_filename or self.source_url
