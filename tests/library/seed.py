"""Puts recordings with known words into a server's database. Run as `python -m tests.library.seed`."""

from __future__ import annotations

import os
from datetime import timedelta

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from whisper_jobs import search, tagging  # noqa: E402
from whisper_jobs.models import Job, Segment, Step  # noqa: E402
from whisper_jobs.pen import count  # noqa: E402

SAID = {
    "Harbour meeting, spring": [
        "We look at the harbour first.",
        "The crane costs three million.",
        "Nobody wants the crane.",
    ],
    "Harbour meeting, autumn": [
        "The harbour again.",
        "It rains in the harbour, and the <script>harbour</script> is closed.",
    ],
    "Interview with Mötley Crüe about a very long tour through towns with very long names": ["Loud.", "Très loud."],
    "اجتماع الميناء": ["هذه الجملة مكتوبة من اليمين إلى اليسار عن الميناء."],
    "Choir practice": ["Again from the start.", "Softly now."],
}


def recording(owner: User, title: str, said: list[str], days: int) -> Job:
    job = Job.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        channel="web",
        stage="completed",
        source_type="upload",
        source_label=title,
        requested_model="auto",
        detected_language="en",
        source_duration_seconds=83.0 * len(said),
        started_at=timezone.now(),
        completed_at=timezone.now(),
        progress=100,
    )
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(days=days))
    step = Step.objects.create(job=job, kind="window", state="done", lane="speech", owner_id=owner.pk)
    for at, text in enumerate(said):
        start = at * 83.0
        Segment.objects.create(job=job, step=step, position=at, start=start, end=start + 80, text=text, revision=1)
    search.reindex(job)
    count(job, job.status, 1)
    return job


def main() -> None:
    owner = User.objects.get(is_superuser=True)
    made = [recording(owner, title, said, days) for days, (title, said) in enumerate(SAID.items())]
    tagging.put_on(owner, tagging.called(owner, ["Harbour", "Council"]), [made[0].pk])
    tagging.put_on(owner, tagging.called(owner, ["Harbour"]), [made[1].pk])


if __name__ == "__main__":
    main()
