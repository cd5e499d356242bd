"""The pen that lifecycle writes with: one locked job, its changes gathered, then one guarded UPDATE and one broadcast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sharing.models import Share
from whisper_jobs import broadcast, payloads, progress
from whisper_jobs.doorbell import ring_on_commit
from whisper_jobs.models import Delivery, Job, LogLine, Segment, Tally
from whisper_jobs.states import STATUS_OF, Stage, Status, later

#: Never written by an edit.
_FIXED = {"id", "revision", "owner_id", "created_at"}


class Gone(Exception):
    """The job was deleted."""


class Edit:
    """Changes to one job. Set fields on `job`; everything else through the methods. Nothing is sent unless it is committed."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.now: datetime = timezone.now()
        self.revision = job.revision + 1
        self._before = {field.attname: getattr(job, field.attname) for field in Job._meta.concrete_fields}
        self._lines: list[LogLine] = []
        self._lanes: list[str] = []
        self._messages: list[broadcast.Message] = []
        self._deleted = False

    def log(self, message: str, level: str = "info") -> None:
        self._lines.append(LogLine(job=self.job, at=self.now, level=level, stage=self.job.stage, message=message))

    def ring(self, lane: str, times: int = 1) -> None:
        self._lanes += [lane] * times

    def forward(self, stage: Stage) -> None:
        """Moves on to `stage` unless the job is further already or at its end."""
        if not self.job.is_terminal:
            self.job.stage = later(self.job.stage, stage)

    def show_segments(self, window: int, rows: list[Segment]) -> None:
        told = [payloads.segment(row) for row in rows]
        self._messages.append({"type": "segments", "revision": self.revision, "window": window, "segments": told})

    def show_callback(self, delivery: Delivery) -> None:
        self._messages.append({"type": "callback", "revision": self.revision, "callback": payloads.delivery(delivery)})

    def show_share(self, share: Share | None) -> None:
        told = payloads.share(share)
        self._messages.append({"type": "share", "revision": self.revision, "share": told})

    def show_rewritten(self) -> None:
        """Segments that were shown have changed; whoever shows them reads them again."""
        told = payloads.diarization(self.job)
        self._messages.append({"type": "rewritten", "revision": self.revision, "diarization": told})

    def show_notes(self) -> None:
        """Whoever shows the notes reads them again."""
        self._messages.append({"type": "notes", "revision": self.revision})

    def show_corrected(self, version: int) -> None:
        """Whoever shows the transcript reads the corrections since the version that it has."""
        self._messages.append({"type": "corrected", "revision": self.revision, "version": version})

    def discard(self, messages: list[tuple[str, broadcast.Message]]) -> None:
        """Deletes the job with all its rows, and tells those who watch."""
        # The steps first, the count last: the order in which every other verb locks them.
        self.job.delete()
        _recount(self.job, _counted(self._before), None)
        self._deleted = True
        broadcast.push_on_commit(messages)

    def write(self) -> None:
        if self._deleted:
            return
        self.job.progress = progress.of(self.job)
        changed = self._changed()
        if not (changed or self._lines or self._messages or self._lanes):
            return
        self.job.changed_at = self.now
        Job.objects.filter(pk=self.job.pk).update(revision=self.revision, changed_at=self.now, **changed)
        self.job.revision = self.revision
        _recount(self.job, _counted(self._before), _counted(vars(self.job)))
        LogLine.objects.bulk_create(self._lines)
        self._announce()
        ring_on_commit(self._lanes)

    def _changed(self) -> dict[str, Any]:
        now = {name: getattr(self.job, name) for name in self._before if name not in _FIXED}
        return {name: value for name, value in now.items() if value != self._before[name]}

    def _announce(self) -> None:
        if self.job.trashed_at:
            # For those who watch, the trash is the end of it; only that it went there is news.
            broadcast.push_on_commit([] if self._before["trashed_at"] else farewells(self.job))
            return
        summary = payloads.job_summary(self.job)
        change: dict[str, Any] = {"type": "change", "revision": self.revision, "job": summary}
        group = broadcast.job_group(self.job.pk)
        messages = [(group, message) for message in self._messages]
        if self._lines:
            entries = [payloads.log_line(line) for line in self._lines]
            messages.append((group, {"type": "log", "entries": entries}))
        messages.append((group, {**change, "job": {**summary, "steps": payloads.steps(self.job)}}))
        change["moved"] = _counted(self._before) != self.job.status or self._before["stage"] != self.job.stage
        messages += [(queue, change) for queue in queues_of(self.job)]
        broadcast.push_on_commit(messages)


def queues_of(job: Job) -> tuple[str, str, str]:
    """The queue pages that show this job: its owner's, those of its tenant's managers, and those of the admins."""
    return broadcast.owner_queue(job.owner_id), broadcast.tenant_queue(job.tenant_id), broadcast.EVERY_QUEUE


def farewells(job: Job) -> list[tuple[str, broadcast.Message]]:
    """Tells those who watch the job, or a list with it, that it is gone."""
    told: broadcast.Message = {"type": "deleted", "id": job.pk}
    return [(group, told) for group in (broadcast.job_group(job.pk), *queues_of(job))]


def introduce(job: Job, note: str, lanes: Iterable[str]) -> None:
    """Announces a job that this transaction has made. Nobody has seen it yet, so nothing of it is locked or read again."""
    LogLine.objects.create(job=job, at=job.created_at, level="info", stage=job.stage, message=note)
    change = {"type": "change", "revision": job.revision, "job": payloads.job_summary(job), "moved": True}
    broadcast.push_on_commit([(queue, change) for queue in queues_of(job)])
    ring_on_commit(lanes)


@contextmanager
def editing(job_id: int) -> Iterator[Edit]:
    """Locks the job, hands out its Edit, writes it at the end. Raises Gone when the job was deleted.

    Every verb locks the job before it touches steps: so two of them on one job never cross, and none deadlock.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=job_id).first()
        if job is None:
            raise Gone(job_id)
        edit = Edit(job)
        yield edit
        edit.write()


def _counted(fields: Mapping[str, Any]) -> Status | None:
    """The status under which a job with these fields is counted; None in the trash."""
    return None if fields["trashed_at"] else STATUS_OF[fields["stage"]]


def _recount(job: Job, before: Status | None, after: Status | None) -> None:
    if before == after:
        return
    # Always in the order of the names, so that two jobs of one owner can't deadlock on their counts.
    for status, change in sorted([(before or "", -1), (after or "", 1)]):
        if status:
            count(job, status, change)


def count(job: Job, status: str, change: int) -> None:
    """Adds `change` to the owner's count of jobs with this status."""
    rows = Tally.objects.filter(owner_id=job.owner_id, channel=job.channel, status=status)
    if not rows.update(jobs=F("jobs") + change):
        Tally.objects.get_or_create(owner_id=job.owner_id, channel=job.channel, status=status)
        rows.update(jobs=F("jobs") + change)
