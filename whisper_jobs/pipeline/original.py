"""The original of a job being decoded, for the steps that listen to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.conf import settings
from django.core.files.storage import default_storage

from whisper_jobs.media import decoding
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run


@contextmanager
def decoded(run: Run, watch: Watch) -> Iterator[decoding.Decoding]:
    """Its sound, from a child process that ends with the block. Raises JobError, OSError where the original is gone."""
    limits = decoding.DecodeLimits(max_seconds=settings.TOOLS.max_duration_hours * 3600)
    with (
        default_storage.open(run.job.media) as original,
        decoding.decode(cast(BinaryIO, original), limits=limits, should_stop=watch.stopping) as sound,
    ):
        yield sound
