"""Django's entry for the queue. The label is `whisper`, so permissions read whisper.use, whisper.manage, whisper.api."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class WhisperJobsConfig(AppConfig):
    name = "whisper_jobs"
    label = "whisper"
    verbose_name = "Whisper"

    def ready(self) -> None:
        from whisper_jobs.pipeline import models

        models.register_extra(settings.TOOLS.extra_engines)
