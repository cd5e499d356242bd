"""The shape of a recording's sound, computed once while it is decoded, for players to draw."""

from __future__ import annotations

from django.db import models

from whisper_jobs.models.job import Job


class Waveform(models.Model):
    """`peaks`: one byte for each stretch of sound, 0 for silence and 255 for full scale; `per_second` stretches in a second."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="waveform", primary_key=True)
    per_second = models.FloatField()
    peaks = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"waveform of job {self.job_id}"
