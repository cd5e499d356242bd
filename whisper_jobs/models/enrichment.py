"""What a language model adds to a transcript: one analysis and any number of translations, and the prompts people keep for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import Job
from whisper_jobs.models.results import Segment


class EnrichmentState(models.TextChoices):
    """As published. What was there before stays readable while it is made anew."""

    PENDING = "pending", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


class PromptTemplate(models.Model):
    """A person's own instruction for analyses, in place of the built-in one."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="prompt_templates")
    name = models.CharField(max_length=100)
    instruction = models.TextField()
    #: New recordings are analysed with it.
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="prompt_once"),
            models.UniqueConstraint(fields=["owner"], condition=models.Q(is_default=True), name="prompt_default_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Enrichment(models.Model):
    """What an analysis and a translation have in common. Tokens are those of all calls that were made for it."""

    #: Whose permission and key it is made with; None when they are gone, then the owner's.
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    language = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=EnrichmentState, default=EnrichmentState.PENDING)
    text = models.TextField(blank=True)
    error = models.TextField(blank=True)
    model = models.CharField(max_length=100, blank=True)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Analysis(Enrichment):
    """`data`: what could be read out of the answer (summary, key_points, decisions, action_items, chapters); else `other`."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="analysis", primary_key=True)
    data = models.JSONField(default=dict)
    #: The template's text when it was asked for, so that deleting the template changes nothing.
    instruction = models.TextField(blank=True)
    #: Answers about parts of a long transcript by their questions' digests, until the whole is done.
    notes = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"analysis of job {self.job_id}"


class Translation(Enrichment):
    """`index` is that of its step; `text` the whole, put together when the last segment is there."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="translations", db_index=False)
    index = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["job", "language"], name="translation_once"),
            models.UniqueConstraint(fields=["job", "index"], name="translation_step"),
        ]

    def __str__(self) -> str:
        return f"{self.language} of job {self.job_id}"


class TranslatedSegment(models.Model):
    """One segment in another language; it has the segment's times and speaker."""

    translation = models.ForeignKey(Translation, on_delete=models.CASCADE, related_name="segments", db_index=False)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="translated")
    text = models.TextField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["translation", "segment"], name="translated_once")]

    def __str__(self) -> str:
        return self.text
