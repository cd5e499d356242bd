"""What one correction works on: the segments it takes, as they were and as they become. Works on an Edit; opens no transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import correction_rows, segment_rows, versions
from whisper_jobs.correction_rows import Entry
from whisper_jobs.models import Correction, Segment, Transcript
from whisper_jobs.pen import Edit
from whisper_jobs.segment_rows import Snapshot
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.states import READABLE
from whisper_jobs.versions import Speakers


class NotReady(Exception):
    """There is no transcript yet that could be corrected."""


class Conflict(Exception):
    """Somebody else has changed these segments: `rows` are those that are still there, `removed` the ids of the others."""

    def __init__(
        self, message: str, *, version: int, rows: Sequence[Segment] = (), removed: Sequence[int] = ()
    ) -> None:
        super().__init__(message)
        self.version, self.rows, self.removed = version, list(rows), list(removed)


@dataclass(frozen=True, slots=True)
class Ref:
    """A segment as somebody saw it."""

    id: int
    revision: int


class Sheet:
    """The segments of one correction: take them, change them, then `write` once. Raises NotReady without a transcript."""

    def __init__(self, edit: Edit) -> None:
        self.edit, self.job = edit, edit.job
        transcript = Transcript.objects.filter(job=edit.job).only("version").first()
        if transcript is None or edit.job.stage not in READABLE:
            raise NotReady(_("This job has no finished transcript yet."))
        self.version, self.number = transcript.version, transcript.version + 1
        self._before: dict[int, Snapshot] = {}
        self._kept: dict[int, Segment] = {}
        self._fresh: list[Segment] = []
        self._gone: set[int] = set()
        self._translated: dict[int, dict[str, str]] = {}
        self._speakers: tuple[Speakers, Speakers] | None = None

    # --- taking -------------------------------------------------------------------------------

    def seen(self, refs: Sequence[Ref]) -> list[Segment]:
        """The segments in the order of `refs`. Raises Conflict when one isn't as its sender saw it."""
        found = self.take([ref.id for ref in refs])
        if any(ref.id not in found or found[ref.id].revision != ref.revision for ref in refs):
            raise self.conflict(ref.id for ref in refs)
        return [found[ref.id] for ref in refs]

    def take(self, ids: Collection[int] | None = None) -> dict[int, Segment]:
        """Those of the ids that there are, by id, in order of time; without ids all."""
        rows = Segment.objects.filter(job=self.job).order_by("start", "id")
        found = {row.pk: row for row in (rows if ids is None else rows.filter(pk__in=list(ids)))}
        self._before |= correction_rows.snapshots(self.job, found.values())
        return found

    def before(self, pk: int) -> Snapshot:
        """A segment that was taken, as it was."""
        return self._before[pk]

    def conflict(self, ids: Iterable[int], message: str = "") -> Conflict:
        wanted = set(ids)
        rows = list(Segment.objects.filter(job=self.job, pk__in=wanted).order_by("start", "id"))
        removed = sorted(wanted - {row.pk for row in rows})
        told = message or _("Somebody else has changed this meanwhile. Look at it as it is now, then try again.")
        return Conflict(told, version=self.version, rows=rows, removed=removed)

    # --- changing -----------------------------------------------------------------------------

    def rewrite(self, row: Segment, one: Spoken) -> None:
        self.keep(segment_rows.rewrite(row, one))

    def keep(self, row: Segment) -> None:
        """Stores a row that was taken as it is now."""
        self._kept[row.pk] = row

    def add(self, one: Spoken, step_id: int, *, checked: bool = False) -> None:
        self._fresh.append(segment_rows.rewrite(Segment(job=self.job, step_id=step_id, checked=checked), one))

    def remove(self, pk: int) -> None:
        """What it said in other languages goes with it, and stays in the log."""
        self._gone.add(pk)

    def translate(self, pk: int, texts: dict[str, str]) -> None:
        """What the segment says in other languages from now on."""
        self._translated[pk] = texts

    def put(self, kept: Snapshot) -> None:
        """Has a segment be as it was, also one that is gone."""
        self._kept[kept["id"]] = segment_rows.row_of(self.job.pk, kept)
        if "translated" in kept:
            self.translate(kept["id"], kept["translated"])

    @property
    def speakers(self) -> Speakers:
        """Of the whole job; assign to it to change them."""
        if self._speakers is None:
            found = versions.speakers_of(self.job.pk)
            self._speakers = (found, found)
        return self._speakers[1]

    @speakers.setter
    def speakers(self, after: Speakers) -> None:
        before = self.speakers
        self._speakers = (self._speakers[0] if self._speakers else before, after)

    # --- writing ------------------------------------------------------------------------------

    def write(self, kind: str, *, author: User | None, request_id: UUID, of_number: int | None = None) -> Correction:
        """Stores what has changed, and the line of the log."""
        touched = [self._before[pk] for pk in [*self._kept, *self._gone] if pk in self._before]
        correction_rows.store(self.job, self._kept.values(), self._fresh, self._gone, revision=self.edit.revision)
        correction_rows.translate(self.job, self._translated)
        after = correction_rows.snapshots(self.job, [*self._kept.values(), *self._fresh])
        entry = Entry(kind, touched, list(after.values()), self._changed_speakers(), of_number)
        return correction_rows.record(self.edit, entry, author=author, request_id=request_id)

    def _changed_speakers(self) -> dict[str, Speakers] | None:
        before, after = self._speakers or ([], [])
        if before == after:
            return None
        correction_rows.store_speakers(self.job, after)
        return {"before": before, "after": after}
