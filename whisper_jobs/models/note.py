"""What a person marks in a recording: a highlight, with or without words of their own. No part of the transcript."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from whisper_jobs.models.job import Job


class Note(models.Model):
    """At a place of the recording (seconds), so that corrections of the text leave it where it is.

    `quote` is what was said there when it was made; an empty `text` is a highlight alone.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    start = models.FloatField()
    end = models.FloatField()
    quote = models.TextField(blank=True)
    text = models.TextField(blank=True)
    #: A place in the palette of the pages.
    colour = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["job", "start", "id"], name="note_in_order")]

    def __str__(self) -> str:
        return f"note of job {self.job_id} at {self.start:.1f}"
