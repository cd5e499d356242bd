"""What comes out: segments as windows finish, and the assembled transcript."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import Job
from whisper_jobs.models.step import Step


class Segment(models.Model):
    """A stretch of speech with its words. Times are seconds of the recording.

    `words` is a list of [start, end, text, probability or null]; `revision` is the job's when it was stored. `speaker` is a
    label of the job's diarization, `suspect` why the text may be wrong (see speech.transcript.Suspicion), `decoding` how
    the model came to it: [temperature, avg_logprob, compression_ratio, no_speech_prob], null for an engine that has none.
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
    suspect = models.CharField(max_length=12, blank=True)
    decoding = models.JSONField(null=True)
    #: A person has corrected it, or looked at it and found it right.
    checked = models.BooleanField(default=False)
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
    #: The same with the speaker before each paragraph; empty where speakers are not known.
    speaker_text = models.TextField(blank=True)
    coverage = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    #: Number of the newest correction; 0 while these are the engine's own words.
    version = models.PositiveIntegerField(default=0)
    corrected_at = models.DateTimeField(null=True)
    #: Both texts are older than the segments: whoever reads them puts them together first.
    is_stale = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"transcript of job {self.job_id}"


class DiarizationState(models.TextChoices):
    PENDING = "pending", _("Waiting")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Not made")
    FAILED = "failed", _("Failed")


class Diarization(models.Model):
    """Who speaks when. `turns` is a list of [start, end, label] in seconds, which may overlap; `speakers` a list of
    {"label", "name", "seconds"} in the order in which they are first heard, `name` null until somebody gives one; "colour",
    a place in the palette of the pages, where somebody chose one."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="diarization", primary_key=True)
    state = models.CharField(max_length=8, choices=DiarizationState, default=DiarizationState.PENDING)
    #: Why there are no speakers, or how they were found.
    reason = models.CharField(max_length=300, blank=True)
    method = models.CharField(max_length=50, blank=True)
    speakers = models.JSONField(default=list)
    turns = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"speakers of job {self.job_id}"
