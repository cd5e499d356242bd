"""What can be corrected: each kind is a value that says what is wanted, and applies itself to a sheet. Called by corrections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django.utils.translation import gettext as _

from whisper_jobs import recognition, versions
from whisper_jobs.correction_sheet import Ref, Sheet
from whisper_jobs.models import Correction, Segment, Step
from whisper_jobs.models.correction import CorrectionKind
from whisper_jobs.recognition import Link
from whisper_jobs.segment_rows import Snapshot, alike, spoken
from whisper_jobs.speech import correcting
from whisper_jobs.speech.correcting import Swap
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.speech.transcript import join_words
from whisper_jobs.states import Kind
from whisper_jobs.versions import Speakers

#: Characters of one segment's text.
MOST_TEXT = 20_000
#: Times come rounded to it.
_TOLERANCE = 0.001
_NEW_LABEL = re.compile(r"SPEAKER_\d{2,4}")


class Unsuitable(ValueError):
    """A value makes no sense for this transcript; `field` is where it stands in what was sent."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Change(Protocol):
    kind: ClassVar[str]

    def apply(self, sheet: Sheet) -> None:
        """Raises Conflict, Unsuitable."""

    @property
    def of_number(self) -> int | None:
        """The correction that it is about."""


class _Alone:
    """About no other correction."""

    @property
    def of_number(self) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class NewText(_Alone):
    kind: ClassVar[str] = CorrectionKind.TEXT
    segment: Ref
    text: str

    def apply(self, sheet: Sheet) -> None:
        [row] = sheet.seen([self.segment])
        row.checked = True
        sheet.rewrite(row, correcting.reworded(spoken(row), self.text))


@dataclass(frozen=True, slots=True)
class Split(_Alone):
    """`text` is what its sender sees, where that isn't stored yet."""

    kind: ClassVar[str] = CorrectionKind.SPLIT
    segment: Ref
    at: int
    text: str | None = None

    def apply(self, sheet: Sheet) -> None:
        [row] = sheet.seen([self.segment])
        one = spoken(row)
        one = one if self.text is None else correcting.reworded(one, self.text)
        row.checked = row.checked or one.text != row.text
        try:
            first, second = correcting.cut(one, self.at)
        except correcting.Uncuttable as error:
            raise Unsuitable("at", _("There must be text on both sides of the cut.")) from error
        sheet.add(second, row.step_id, checked=row.checked)
        sheet.rewrite(row, first)


@dataclass(frozen=True, slots=True)
class Merge(_Alone):
    kind: ClassVar[str] = CorrectionKind.MERGE
    segments: Sequence[Ref]

    def apply(self, sheet: Sheet) -> None:
        rows = sorted(sheet.seen(self.segments), key=lambda row: (row.start, row.pk))
        first, others = rows[0], rows[1:]
        if _between(sheet, first, rows[-1]) != len(rows):
            raise Unsuitable("segments", _("Only neighbours can be joined."))
        if sum(len(row.text) + 1 for row in rows) > MOST_TEXT:
            raise Unsuitable("segments", _too_long())
        first.checked = all(row.checked for row in rows)
        texts = _joined_texts(sheet.before(row.pk) for row in rows)
        sheet.rewrite(first, correcting.joined([spoken(row) for row in rows]))
        if texts:
            sheet.translate(first.pk, texts)
        for row in others:
            sheet.remove(row.pk)


def _between(sheet: Sheet, first: Segment, last: Segment) -> int:
    """How many segments there are from one to the other, both counted."""
    near = Segment.objects.filter(job=sheet.job, start__gte=first.start, start__lte=last.start)
    places = near.values_list("start", "id")
    return sum((first.start, first.pk) <= place <= (last.start, last.pk) for place in places)


def _joined_texts(kept: Iterable[Snapshot]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for one in kept:
        for language, text in one.get("translated", {}).items():
            texts[language] = join_words(texts.get(language, ""), text)
    return texts


def _too_long() -> str:
    return _("A segment has at most %(count)d characters.") % {"count": MOST_TEXT}


@dataclass(frozen=True, slots=True)
class Insert(_Alone):
    kind: ClassVar[str] = CorrectionKind.INSERT
    start: float
    end: float
    text: str
    speaker: str | None = None

    def apply(self, sheet: Sheet) -> None:
        _demand_times(sheet, self.start, self.end, "end")
        if self.speaker:
            know_speaker(sheet, self.speaker, self.end - self.start)
        # Every segment belongs to a step; to which makes no difference to people's own.
        step = Step.objects.filter(job=sheet.job).order_by("kind", "index").values_list("pk", "kind")
        windows = [pk for pk, kind in step if kind == Kind.WINDOW] or [pk for pk, _kind in step]
        words = correcting.retime((), self.text, self.start, self.end)
        sheet.add(Spoken(self.start, self.end, self.text, words, self.speaker), windows[0], checked=True)


@dataclass(frozen=True, slots=True)
class Delete(_Alone):
    kind: ClassVar[str] = CorrectionKind.DELETE
    segments: Sequence[Ref]

    def apply(self, sheet: Sheet) -> None:
        for row in sheet.seen(self.segments):
            sheet.remove(row.pk)


@dataclass(frozen=True, slots=True)
class Times(_Alone):
    """`spans`: start and end of each of the segments, in seconds."""

    kind: ClassVar[str] = CorrectionKind.TIMES
    segments: Sequence[Ref]
    spans: Sequence[tuple[float, float]]

    def apply(self, sheet: Sheet) -> None:
        for row, (start, end) in zip(sheet.seen(self.segments), self.spans, strict=True):
            _demand_times(sheet, start, end, "segments", row)
            sheet.rewrite(row, correcting.moved(spoken(row), start, end))


def _demand_times(sheet: Sheet, start: float, end: float, field: str, row: Segment | None = None) -> None:
    longest = max(sheet.job.source_duration_seconds or float("inf"), row.end if row else 0.0)
    if not 0 <= start < end <= longest + _TOLERANCE:
        raise Unsuitable(field, _("A segment begins before it ends, and both are within the recording."))


@dataclass(frozen=True, slots=True)
class SpeakerOf(_Alone):
    """Without a speaker: nobody is named any more."""

    kind: ClassVar[str] = CorrectionKind.SPEAKER
    segments: Sequence[Ref]
    speaker: str | None

    def apply(self, sheet: Sheet) -> None:
        rows = sheet.seen(self.segments)
        if self.speaker:
            know_speaker(sheet, self.speaker, sum(row.end - row.start for row in rows))
        for row in rows:
            row.speaker = self.speaker or ""
            sheet.keep(row)


def know_speaker(sheet: Sheet, label: str, seconds: float) -> None:
    """Adds a speaker that nobody has named yet. Raises Unsuitable for a label that isn't known and no number either."""
    if any(one["label"] == label for one in sheet.speakers):
        return
    if not _NEW_LABEL.fullmatch(label):
        raise Unsuitable(
            "speaker", _("There is no such speaker. A new one is called SPEAKER_00, SPEAKER_01 and so on.")
        )
    sheet.speakers = [*sheet.speakers, {"label": label, "name": None, "seconds": round(seconds, 3)}]


@dataclass(frozen=True, slots=True)
class Rename(_Alone):
    """label → name; an empty one takes the name away."""

    kind: ClassVar[str] = CorrectionKind.SPEAKERS
    names: Mapping[str, str]

    def apply(self, sheet: Sheet) -> None:
        _demand_known(sheet, self.names, "rename")
        sheet.speakers = [
            recognition.renamed(one, self.names[one["label"]] or None) if one["label"] in self.names else one
            for one in sheet.speakers
        ]


@dataclass(frozen=True, slots=True)
class Identify(_Alone):
    """label → the enrolled speaker who it is; None: it is not whom it is taken for."""

    kind: ClassVar[str] = CorrectionKind.SPEAKERS
    links: Mapping[str, Link | None]

    def apply(self, sheet: Sheet) -> None:
        _demand_known(sheet, self.links, "identify")
        sheet.speakers = [
            _identified(one, self.links[one["label"]]) if one["label"] in self.links else one for one in sheet.speakers
        ]


def _identified(one: dict[str, Any], link: Link | None) -> dict[str, Any]:
    before = recognition.without_link(one)
    return {**before, "name": link["name"], "link": link} if link else before


@dataclass(frozen=True, slots=True)
class Colour(_Alone):
    """label → place in the palette."""

    kind: ClassVar[str] = CorrectionKind.SPEAKERS
    colours: Mapping[str, int]

    def apply(self, sheet: Sheet) -> None:
        _demand_known(sheet, self.colours, "colour")
        sheet.speakers = [
            {**one, "colour": self.colours[one["label"]]} if one["label"] in self.colours else one
            for one in sheet.speakers
        ]


@dataclass(frozen=True, slots=True)
class MergeSpeakers(_Alone):
    """What was said by those of `labels` was said by `into`. `also` keeps their labels for what is heard later."""

    kind: ClassVar[str] = CorrectionKind.SPEAKERS
    labels: Sequence[str]
    into: str

    def apply(self, sheet: Sheet) -> None:
        _demand_known(sheet, [*self.labels, self.into], "merge")
        gone = set(self.labels) - {self.into}
        if not gone:
            raise Unsuitable("merge", _("A speaker can't be merged with themselves."))
        rows = Segment.objects.filter(job=sheet.job, speaker__in=gone).values_list("pk", flat=True)
        for row in sheet.take(list(rows)).values():
            row.speaker = self.into
            sheet.keep(row)
        merged = [one for one in sheet.speakers if one["label"] in gone]
        also = [label for one in merged for label in (one["label"], *one.get("also", ()))]
        sheet.speakers = [
            _grown(one, also, sum(other["seconds"] for other in merged)) if one["label"] == self.into else one
            for one in sheet.speakers
            if one["label"] not in gone
        ]


def _grown(one: dict[str, object], also: list[str], seconds: float) -> dict[str, object]:
    had, before = one.get("also", []), one["seconds"]
    assert isinstance(had, list) and isinstance(before, int | float)
    return {**one, "also": [*had, *also], "seconds": round(before + seconds, 3)}


def _demand_known(sheet: Sheet, labels: Iterable[str], field: str) -> None:
    known = {one["label"] for one in sheet.speakers}
    if unknown := sorted(set(labels) - known):
        raise Unsuitable(field, _("There is no speaker “%(label)s”.") % {"label": unknown[0]})


@dataclass(frozen=True, slots=True)
class Replace(_Alone):
    """In these segments, or in all."""

    kind: ClassVar[str] = CorrectionKind.REPLACE
    swap: Swap
    segments: Sequence[Ref] | None = None

    def apply(self, sheet: Sheet) -> None:
        refs = None if self.segments is None else [ref.id for ref in self.segments]
        if self.segments is not None:
            sheet.seen(self.segments)
        found = swapped(sheet.job.pk, self.swap, refs)
        if not found:
            raise Unsuitable("find", _("This text was not found."))
        for pk, row in sheet.take(list(found)).items():
            sheet.rewrite(row, correcting.reworded(spoken(row), found[pk]))


def swapped(job_id: int, swap: Swap, ids: Sequence[int] | None = None) -> dict[int, str]:
    """The text of each segment that would have another, in order of time. Raises Unsuitable where one grows too long."""
    rows = Segment.objects.filter(job=job_id).order_by("start", "id")
    rows = rows if ids is None else rows.filter(pk__in=ids)
    texts = ((pk, text, swap(text)) for pk, text in rows.values_list("pk", "text").iterator())
    return {pk: _cleaned(after) for pk, before, after in texts if after != before}


def _cleaned(text: str) -> str:
    # A letter that becomes a page, in every segment, would be more than fits into memory.
    if len(text) > MOST_TEXT:
        raise Unsuitable("replace", _too_long())
    return correcting.clean(text)


@dataclass(frozen=True, slots=True)
class Check(_Alone):
    kind: ClassVar[str] = CorrectionKind.CHECK
    segments: Sequence[Ref]
    checked: bool

    def apply(self, sheet: Sheet) -> None:
        for row in sheet.seen(self.segments):
            row.checked = self.checked
            sheet.keep(row)


# --- going back -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Undo:
    """Takes a correction back, if what it touched is as it left it. Taking that back does it again."""

    kind: ClassVar[str] = CorrectionKind.UNDO
    number: int

    @property
    def of_number(self) -> int:
        return self.number

    def apply(self, sheet: Sheet) -> None:
        target = Correction.objects.filter(job=sheet.job, number=self.number).first()
        if target is None:
            raise Unsuitable("number", _("There is no such correction."))
        before, after = ({one["id"]: one for one in told} for told in (target.before, target.after))
        if target.undone_by:
            raise sheet.conflict({**before, **after}, _("This correction has been taken back already."))
        now = sheet.take({**before, **after})
        if now.keys() != after.keys() or not all(alike(sheet.before(pk), one) for pk, one in after.items()):
            raise sheet.conflict({**before, **after}, _newer())
        _put_back(sheet, before, after)
        if target.speakers:
            sheet.speakers = _speakers_back(sheet, target.speakers["before"], target.speakers["after"])
        Correction.objects.filter(pk=target.pk).update(undone_by=sheet.number)
        if target.kind == CorrectionKind.UNDO:
            Correction.objects.filter(job=sheet.job, number=target.of_number or 0).update(undone_by=None)


def _newer() -> str:
    return _("A later correction has changed the same place. Take that one back first.")


def _put_back(sheet: Sheet, before: Mapping[int, Snapshot], after: Iterable[int]) -> None:
    for one in before.values():
        sheet.put(one)
    for pk in set(after) - before.keys():
        sheet.remove(pk)


def _speakers_back(sheet: Sheet, before: Speakers, after: Speakers) -> Speakers:
    """The speakers as they are, with those that differ between `after` and `before` as they were. Raises Conflict."""
    then, left, now = ({one["label"]: one for one in told} for told in (before, after, sheet.speakers))
    changed = [label for label in {**then, **left} if then.get(label) != left.get(label)]
    if any(now.get(label) != left.get(label) for label in changed):
        raise sheet.conflict((), _("A later correction has changed the same speakers. Take that one back first."))
    back = {label: one for label, one in now.items() if label not in changed} | {
        label: then[label] for label in changed if label in then
    }
    return [back[label] for label in {**then, **now} if label in back]


@dataclass(frozen=True, slots=True)
class Restore:
    """The whole transcript as it was in a version."""

    kind: ClassVar[str] = CorrectionKind.RESTORE
    number: int

    @property
    def of_number(self) -> int:
        return self.number

    def apply(self, sheet: Sheet) -> None:
        if self.number == sheet.version:
            raise Unsuitable("number", _("The transcript is as it was in that version already."))
        try:
            then = versions.overrides(sheet.job.pk, self.number)
        except versions.NoSuchVersion as error:
            raise Unsuitable("number", _("There is no such version.")) from error
        now = sheet.take(then)
        for pk, one in then.items():
            if one is None and pk in now:
                sheet.remove(pk)
            elif one and not (pk in now and alike(sheet.before(pk), one)):
                sheet.put(one)
        sheet.speakers = versions.speakers_at(sheet.job.pk, self.number)
