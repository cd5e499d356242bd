"""One process of the detail figure: `python -m benchmarks.filler EMAIL SEGMENTS FEW JOBS` stores jobs and counts queries.

Prints JSON: the paths to ask for, and how many queries each answer takes.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import jwt
from accounts.models import User
from whisper_jobs.models import Channel, Job, LogLine, Pace, Segment, SourceType, Step, Tally, Transcript
from whisper_jobs.states import LANE_OF, Kind, Stage, Status, StepState

SECONDS = 3.6
SENTENCE = "and so the harbour was rebuilt in nineteen hundred and four by the people who lived there"
PER_WINDOW = 8
#: Jobs that have a place in the queue and need an estimate. No worker finds anything to do with them.
WAITING = 20


def completed(owner: User, segments: int) -> Job:
    now, length = timezone.now(), segments * SECONDS
    windows = max(1, segments // PER_WINDOW)
    job = Job.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        channel=Channel.WEB,
        source_type=SourceType.URL,
        source_url="https://example.com/talk.mp3",
        source_label="Talk",
        source_duration_seconds=length,
        stage=Stage.COMPLETED,
        progress=100.0,
        requested_model="auto",
        engine="clockwork",
        model="clockwork",
        started_at=now,
        completed_at=now,
        decoded_at=now,
        windows_total=windows,
        windows_done=windows,
    )
    steps = [_step(job, kind, 0) for kind in (Kind.PREPARE, Kind.FETCH, Kind.DECODE, Kind.ASSEMBLE)]
    parts = [_step(job, Kind.WINDOW, index) for index in range(windows)]
    Step.objects.bulk_create([*steps, *parts])
    Segment.objects.bulk_create(_segment(job, parts, number) for number in range(segments))
    Transcript.objects.create(job=job, text=" ".join([SENTENCE] * segments))
    LogLine.objects.bulk_create(
        LogLine(job=job, at=now, level="info", stage=Stage.COMPLETED, message=f"Line {n}.") for n in range(250)
    )
    return job


def _waiting(owner: User) -> Job:
    return Job.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        channel=Channel.WEB,
        source_type=SourceType.URL,
        source_url="https://example.com/talk.mp3",
        source_duration_seconds=600,
        requested_model="auto",
    )


def _step(job: Job, kind: Kind, index: int) -> Step:
    return Step(job=job, kind=kind, index=index, lane=LANE_OF[kind], owner=job.owner, state=StepState.DONE)


def _segment(job: Job, parts: list[Step], number: int) -> Segment:
    start = number * SECONDS
    words = SENTENCE.split()
    each = SECONDS / len(words)
    return Segment(
        job=job,
        step=parts[min(number // PER_WINDOW, len(parts) - 1)],
        position=number,
        start=start,
        end=start + SECONDS,
        text=SENTENCE,
        words=[[start + place * each, start + (place + 1) * each, word, 0.9] for place, word in enumerate(words)],
        revision=number,
    )


def queries_of(client: Client, path: str) -> int:
    """The second time, when nothing has to be looked up for the first time."""
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def main(email: str, segments: int, few: int, listed: int) -> dict[str, dict[str, object]]:
    settings.ALLOWED_HOSTS = ["testserver"]
    owner = User.objects.get(email=email)
    large, small = (f"/api/whisper/jobs/{completed(owner, size).pk}" for size in (segments, few))
    for _ in range(listed - WAITING - 2):
        completed(owner, 1)
    for _ in range(WAITING):
        _waiting(owner)
    Pace.objects.create(engine="", model="", sound_seconds=1, work_seconds=1, measured_at=timezone.now())
    Tally.objects.create(owner=owner, channel=Channel.WEB, status=Status.COMPLETED, jobs=listed)
    paths = {"detail": large, "segments": f"{large}/segments?limit=500", "list": f"/api/whisper/jobs?limit={listed}"}
    client = Client(headers={"authorization": f"Bearer {jwt.issue(owner).access}"})
    counted = {what: queries_of(client, path) for what, path in {**paths, "few": small}.items()}
    return {"paths": dict(paths), "queries": dict(counted)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:]))))
