"""What people changed in a transcript: a log that can be read, undone and gone back in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import Job


class CorrectionKind(models.TextChoices):
    TEXT = "text", _("Text")
    SPLIT = "split", _("Split")
    MERGE = "merge", _("Merge")
    INSERT = "insert", _("Insert")
    DELETE = "delete", _("Delete")
    TIMES = "times", _("Times")
    SPEAKER = "speaker", _("Speaker of a segment")
    SPEAKERS = "speakers", _("Names of speakers")
    REPLACE = "replace", _("Find and replace")
    CHECK = "check", _("Checked")
    UNDO = "undo", _("Undo")
    RESTORE = "restore", _("Restore")
    #: Made by a step of the job on a transcript that had been corrected; they have no author.
    DIARIZE = "diarize", _("Speakers told apart")
    REFILL = "refill", _("Gaps transcribed again")


class Correction(models.Model):
    """One change. `number` counts from 1 within the job: the transcript as it was after it is that version; 0 is the engine's.

    `before` and `after` are the segments that it took away or changed, and that it put there or changed, each as
    correcting.snapshot tells one; `speakers` is {"before", "after"} of Diarization.speakers where those changed, else null.
    Going back means to put `before` in the place of `after`, newest first. `request_id` is the client's own name for the
    change, so that one that is sent twice is made once.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="corrections", db_index=False)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=CorrectionKind)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    request_id = models.UUIDField()
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    speakers = models.JSONField(null=True)
    #: The correction that this one takes back (undo), or the version that it goes back to (restore).
    of_number = models.PositiveIntegerField(null=True)
    #: The correction that took this one back.
    undone_by = models.PositiveIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="correction_once"),
            models.UniqueConstraint(fields=["job", "request_id"], name="correction_request_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of job {self.job_id}"
