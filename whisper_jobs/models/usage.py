"""How much sound an owner has handed in per month; what monthly minutes are counted with."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Usage(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: First day of the month, UTC.
    month = models.DateField()
    seconds = models.FloatField(default=0.0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "month"], name="usage_once")]

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s in {self.month:%Y-%m}"
