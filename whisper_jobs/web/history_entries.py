"""Corrections as the history shows them: a sentence, and what has changed word by word. Reads values, asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whisper_jobs import payloads, results, versions
from whisper_jobs.models import Correction, Job
from whisper_jobs.models.correction import CorrectionKind
from whisper_jobs.segment_rows import Snapshot, alike
from whisper_jobs.speech.differences import Piece, difference, shortened

#: Segments that one correction shows; the others are counted.
MOST_LINES = 12
#: What one person types in one segment without a longer pause is shown as one correction.
PAUSE = timedelta(minutes=5)
MOST_TOGETHER = 200
_BLANK: Snapshot = {"start": 0.0, "end": 0.0, "text": "", "speaker": ""}


@dataclass(frozen=True, slots=True)
class Line:
    """One segment. `pieces` is its text where that has changed, `note` what else has; `parts` those of a cut or join."""

    clock: str
    pieces: Sequence[Piece] = ()
    parts: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """`first` is the number of the oldest of those that are shown as one, `number` that of the newest."""

    number: int
    first: int
    label: str
    author: str
    at: datetime
    lines: Sequence[Line]
    more: str
    undone_by: int | None
    can_undo: bool


def entries(job: Job, rows: Sequence[Correction], *, together: bool = True) -> list[Entry]:
    """`rows` are the newest first. With `together`, what was typed in one go is one entry."""
    names = {one["label"]: results.name_shown(one) for one in versions.speakers_of(job.pk)}
    return [_entry(group, names) for group in _groups(rows, together=together)]


def _groups(rows: Iterable[Correction], *, together: bool) -> Iterator[list[Correction]]:
    group: list[Correction] = []
    for row in rows:
        if group and not (together and _goes_with(group[-1], row) and len(group) < MOST_TOGETHER):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _goes_with(later: Correction, row: Correction) -> bool:
    if not (later.kind == row.kind == CorrectionKind.TEXT and later.undone_by is row.undone_by is None):
        return False
    near = later.number == row.number + 1 and later.at - row.at < PAUSE
    return (
        near
        and later.author_id == row.author_id
        and [one["id"] for one in later.after] == [one["id"] for one in row.after]
    )


def _entry(group: Sequence[Correction], names: dict[str, str]) -> Entry:
    newest, oldest = group[0], group[-1]
    lines = _lines(newest, oldest.before, names)
    shown = list(islice(lines, MOST_LINES))
    left = sum(1 for _line in lines)
    return Entry(
        number=newest.number,
        first=oldest.number,
        label=label_of(newest),
        author=(newest.author.name or newest.author.email) if newest.author else "",
        at=newest.at,
        lines=shown,
        more=ngettext("and %(count)d more segment", "and %(count)d more segments", left) % {"count": left}
        if left
        else "",
        undone_by=newest.undone_by,
        can_undo=newest.undone_by is None,
    )


def label_of(row: Correction) -> str:
    """What was done, in a few words."""
    about = {"number": row.of_number}
    if row.kind == CorrectionKind.RESTORE and row.of_number == 0:
        return _("The engine's original was restored")
    labels: dict[str, str] = {
        CorrectionKind.TEXT: _("Text corrected"),
        CorrectionKind.SPLIT: _("Segment split"),
        CorrectionKind.MERGE: _("Segments joined"),
        CorrectionKind.INSERT: _("Segment added"),
        CorrectionKind.DELETE: _("Segments deleted"),
        CorrectionKind.TIMES: _("Times changed"),
        CorrectionKind.SPEAKER: _("Speaker changed"),
        CorrectionKind.SPEAKERS: _("Speakers edited"),
        CorrectionKind.REPLACE: _("Found and replaced"),
        CorrectionKind.CHECK: _("Checked"),
        CorrectionKind.UNDO: _("Correction %(number)s taken back") % about,
        CorrectionKind.RESTORE: _("Version %(number)s restored") % about,
        CorrectionKind.DIARIZE: _("Speakers told apart"),
        CorrectionKind.REFILL: _("Gaps transcribed again"),
    }
    return labels[row.kind]


def _lines(row: Correction, before: Sequence[Snapshot], names: dict[str, str]) -> Iterator[Line]:
    yield from _speaker_lines(row)
    if row.kind == CorrectionKind.SPLIT and before:
        yield Line(_clock(before[0]), parts=[one["text"] for one in row.after])
    elif row.kind == CorrectionKind.MERGE and before:
        yield Line(_clock(before[0]), parts=[one["text"] for one in before])
    else:
        yield from _segment_lines(before, row.after, names)


def _segment_lines(before: Sequence[Snapshot], after: Sequence[Snapshot], names: dict[str, str]) -> Iterator[Line]:
    then, now = ({one["id"]: one for one in told} for told in (before, after))
    for pk in sorted({**then, **now}, key=lambda pk: ((now.get(pk) or then[pk])["start"], pk)):
        old, new = then.get(pk), now.get(pk)
        if old is None or new is None or not alike(old, new):
            yield _line(old or _BLANK, new or _BLANK, _clock(new or old or _BLANK), names, both=bool(old and new))


def _line(old: Snapshot, new: Snapshot, clock: str, names: dict[str, str], *, both: bool) -> Line:
    changed = old["text"] != new["text"]
    pieces = shortened(difference(old["text"], new["text"])) if changed else [Piece("same", new["text"])]
    return Line(clock, pieces, note=" · ".join(_notes(old, new, names)) if both else "")


def _notes(old: Snapshot, new: Snapshot, names: dict[str, str]) -> Iterator[str]:
    if (old["start"], old["end"]) != (new["start"], new["end"]):
        yield f"{_span(old)} → {_span(new)}"
    if old["speaker"] != new["speaker"]:
        yield " → ".join(_who(one["speaker"], names) for one in (old, new))
    if old["text"] == new["text"] and old["checked"] != new["checked"]:
        yield _("Checked") if new["checked"] else _("Not checked any more")


def _who(label: str, names: dict[str, str]) -> str:
    return names.get(label) or (results.name_shown({"label": label, "name": None}) if label else _("Nobody"))


def _span(one: Snapshot) -> str:
    return _("%(start).2f–%(end).2f s") % {"start": one["start"], "end": one["end"]}


def _clock(one: Snapshot) -> str:
    return payloads.duration_human(one["start"]) or ""


def _speaker_lines(row: Correction) -> Iterator[Line]:
    if not row.speakers:
        return
    then, now = ({one["label"]: one for one in row.speakers[side]} for side in ("before", "after"))
    for label in {**then, **now}:
        old, new = _called(then.get(label)), _called(now.get(label))
        if old != new:
            yield Line("", difference(old, new))
        elif then[label].get("colour") != now[label].get("colour"):
            yield Line("", [Piece("same", new)], note=_("Another colour"))


def _called(speaker: dict[str, Any] | None) -> str:
    return results.name_shown(speaker) if speaker else ""
