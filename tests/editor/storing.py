"""`python -m tests.editor.storing`: reads {email, title, seconds, segments, notes} and stores a finished job; prints its id.

Runs in a process of its own beside the server, on the same data folder. The recording is a quiet tone.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from tests.pages.browsing import tone  # noqa: E402
from whisper_jobs.models import Channel, Diarization, Job, Note, Segment, SourceType, Step, Transcript, Waveform  # noqa: E402
from whisper_jobs.models.results import DiarizationState  # noqa: E402
from whisper_jobs.states import LANE_OF, Kind, Stage, StepState  # noqa: E402

PEAKS_PER_SECOND = 10


def main(told: dict[str, Any]) -> int:
    owner = User.objects.get(email=told["email"])
    job = _job(owner, told["title"], told["seconds"])
    step = Step.objects.create(
        job=job, kind=Kind.WINDOW, index=0, lane=LANE_OF[Kind.WINDOW], owner=owner, state=StepState.DONE
    )
    Segment.objects.bulk_create(_segment(job, step, place, one) for place, one in enumerate(told["segments"]))
    Transcript.objects.create(job=job, text=" ".join(one["text"] for one in told["segments"]))
    labels = list(dict.fromkeys(one["speaker"] for one in told["segments"] if one.get("speaker")))
    speakers = [{"label": label, "name": told.get("names", {}).get(label), "seconds": 1.0} for label in labels]
    Diarization.objects.create(job=job, state=DiarizationState.DONE, speakers=speakers)
    peaks = bytes((place * 37) % 200 for place in range(int(told["seconds"] * PEAKS_PER_SECOND)))
    Waveform.objects.create(job=job, per_second=PEAKS_PER_SECOND, peaks=peaks)
    Note.objects.bulk_create(Note(job=job, author=owner, **one) for one in told.get("notes", []))
    return int(job.pk)


def _job(owner: User, title: str, seconds: float) -> Job:
    now = timezone.now()
    # What is heard may be shorter than what is written: a test does not listen to the end.
    name = default_storage.save("media/editor/original", ContentFile(tone(min(seconds, 60))))
    return Job.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        channel=Channel.WEB,
        source_type=SourceType.UPLOAD,
        source_filename="talk.wav",
        source_mime="audio/wav",
        source_label=title,
        source_duration_seconds=seconds,
        media=name,
        stage=Stage.COMPLETED,
        progress=100.0,
        requested_model="auto",
        started_at=now,
        completed_at=now,
        decoded_at=now,
        windows_total=1,
        windows_done=1,
    )


def _segment(job: Job, step: Step, place: int, one: dict[str, Any]) -> Segment:
    words, start, length = one["text"].split(), one["start"], one["end"] - one["start"]
    each = length / max(1, len(words))
    return Segment(
        job=job,
        step=step,
        position=place,
        start=start,
        end=one["end"],
        text=one["text"],
        words=[[start + at * each, start + (at + 1) * each, word, 0.9] for at, word in enumerate(words)],
        speaker=one.get("speaker") or "",
        suspect=one.get("suspect") or "",
        revision=1,
    )


if __name__ == "__main__":
    print(main(json.load(sys.stdin)))
