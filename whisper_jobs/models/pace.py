"""How fast one speech worker of this installation transcribes, by engine and model: a moving average over windows."""

from __future__ import annotations

from django.db import models


class Pace(models.Model):
    """Both sums fade with every window that is added; their ratio is seconds of sound per second of work."""

    engine = models.CharField(max_length=50)
    model = models.CharField(max_length=100)
    sound_seconds = models.FloatField(default=0.0)
    work_seconds = models.FloatField(default=0.0)
    measured_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["engine", "model"], name="pace_once")]

    def __str__(self) -> str:
        return f"{self.engine} {self.model}: {self.sound_seconds / self.work_seconds:.2f}"
