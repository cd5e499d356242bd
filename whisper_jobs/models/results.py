"""What comes out: segments as windows finish, and the assembled transcript."""

from __future__ import annotations

from django.db import models

from whisper_jobs.models.job import Job
from whisper_jobs.models.step import Step


class Segment(models.Model):
    """A stretch of speech with its words. Times are seconds of the recording.

    `words` is a list of [start, end, text, probability or null]; `revision` is the job's when it was stored.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="segments", db_index=False)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="segments", db_index=False)
    position = models.PositiveIntegerField()
    start = models.FloatField()
    end = models.FloatField()
    text = models.TextField()
    words = models.JSONField(default=list)
    speaker = models.CharField(max_length=64, blank=True)
    probability = models.FloatField(null=True)
    revision = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["step", "position"], name="segment_once")]
        indexes = [models.Index(fields=["job", "start", "id"], name="segment_in_order")]

    def __str__(self) -> str:
        return f"{self.start:.2f} {self.text}"


class Transcript(models.Model):
    """The text of a completed job, apart from the job's row so that lists stay light."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="transcript", primary_key=True)
    text = models.TextField()
    coverage = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"transcript of job {self.job_id}"
