"""Puts a finished talk into a server's database and storage. Run as `python -m tests.sharing.seed`; prints the job's id."""

from __future__ import annotations

import io
import os
import wave

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from whisper_jobs.models import Job, Segment, Step, Transcript, TranslatedSegment, Translation  # noqa: E402

SEGMENTS, SECONDS = 60, 5.0


def silence(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(2 * 8000 * seconds))
    return file.getvalue()


def talk() -> Job:
    owner = User.objects.get()
    told = {"source_label": "Board meeting", "source_filename": "talk.wav", "source_mime": "audio/wav"}
    media = default_storage.save("media/seed/original", ContentFile(silence(int(SEGMENTS * SECONDS))))
    job = Job.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        channel="web",
        stage="completed",
        source_type="upload",
        media=media,
        detected_language="en",
        requested_model="auto",
        source_duration_seconds=SEGMENTS * SECONDS,
        started_at=timezone.now(),
        completed_at=timezone.now(),
        progress=100,
        **told,
    )
    step = Step.objects.create(job=job, kind="window", state="done", lane="speech", owner_id=owner.pk)
    for place in range(SEGMENTS):
        start = place * SECONDS
        text = f"Sentence {place}, which is long enough to fill a line of the page, or nearly."
        row = {"start": start, "end": start + SECONDS - 0.5, "speaker": ("Ada", "Grace")[place // 4 % 2]}
        Segment.objects.create(job=job, step=step, position=place, text=text, revision=1, **row)
    Transcript.objects.create(job=job, text="All of it.")
    translation = Translation.objects.create(job=job, language="sv", state="done", index=0)
    for segment in job.segments.all():
        TranslatedSegment.objects.create(translation=translation, segment=segment, text=f"Mening {segment.position}.")
    return job


if __name__ == "__main__":
    print(talk().pk)
