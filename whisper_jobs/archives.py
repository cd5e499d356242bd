"""Transcripts of several recordings as one ZIP file, written while it is sent: recordings × languages × formats.

For the library, the job's page and the API. What could not be put in is told in its README.txt, with the reason.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from whisper_jobs import exports, results
from whisper_jobs.models import Job
from whisper_jobs.speech.formats import FORMATS, Format
from whisper_jobs.speech.formats.outlet import Outlet
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.speech.transcript import Transcript
from whisper_jobs.states import READABLE
from whisper_jobs.streaming import in_pieces

MOST_JOBS = 500
README = "README.txt"
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_SLUG_CHARACTERS = 60
#: Pieces of so many bytes are worth sending.
_PIECE_BYTES = 64 * 1024
_DOS_EPOCH = datetime(1980, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


class Refused(ValueError):
    """What was asked for can't be packed; the message says why."""


@dataclass(frozen=True, slots=True)
class Order:
    """`languages`: of translations; "" is the original. `jobs` in the order in which they are packed."""

    jobs: tuple[int, ...]
    formats: tuple[Format, ...]
    languages: tuple[str, ...]


def order(jobs: Iterable[str], formats: Iterable[str], languages: Iterable[str]) -> Order:
    """From what a form or a query says; each may stand alone or be a list with commas. Raises Refused."""
    wanted = _split(jobs)
    if not wanted or not all(one.isdecimal() and len(one) < 19 for one in wanted):
        raise Refused(_("Choose the recordings to download."))
    if len(wanted) > MOST_JOBS:
        raise Refused(_("At most %(most)s recordings can be downloaded at once.") % {"most": MOST_JOBS})
    return Order(tuple(map(int, wanted)), _formats(_split(formats)), _languages(languages))


def _formats(named: list[str]) -> tuple[Format, ...]:
    unknown = [one for one in named if one not in FORMATS]
    if unknown or not named:
        raise Refused(_("Choose formats among these: %(known)s.") % {"known": ", ".join(FORMATS)})
    return tuple(FORMATS[one] for one in named)


def _languages(told: Iterable[str]) -> tuple[str, ...]:
    """The original alone where nothing is said."""
    codes = list(dict.fromkeys(code.strip() for one in told for code in one.split(","))) or [""]
    if len(codes) > len(LANGUAGES) or not all(_LANGUAGE.fullmatch(code) for code in codes if code):
        raise Refused(_("Choose languages by their codes, such as “sv”."))
    return tuple(codes)


def _split(told: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(part.strip() for one in told for part in one.split(",") if part.strip()))


def answer(asked: Order, visible: QuerySet[Job], *, name: str = "transcripts") -> StreamingHttpResponse:
    """`visible`: the jobs that whoever asks may see; `name` is plain ASCII."""
    told = StreamingHttpResponse(in_pieces(_pieces(pack(asked, visible)), 1))
    told["Content-Type"] = "application/zip"
    told["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return told


def _pieces(written: Iterator[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for part in written:
        held += part
        if len(held) >= _PIECE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def pack(asked: Order, visible: QuerySet[Job]) -> Iterator[bytes]:
    """The archive; holds one file's pieces at a time, whatever the number of recordings."""
    out, contents = Outlet(), _Contents()
    shape = exports.OptionsSerializer(data={})
    shape.is_valid(raise_exception=True)
    options = exports.options(shape.validated_data)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for pk in asked.jobs:
            for name, form, transcript, at in _files(visible.filter(pk=pk).first(), pk, asked, contents):
                with archive.open(_entry(name, at), "w", force_zip64=True) as entry:
                    for piece in form.render(transcript, options):
                        entry.write(piece)
                        yield out.taken()
                contents.packed.append(name)
        archive.writestr(_entry(README, timezone.now()), contents.told())
    yield out.taken()


@dataclass
class _Contents:
    """What README.txt tells."""

    packed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def told(self) -> str:
        lines = [_("Transcripts of recordings. Their names begin with the number of the recording."), ""]
        lines += [_("%(count)s files are here.") % {"count": len(self.packed)}, ""]
        if self.missing:
            lines += [_("These are missing:"), *(f"- {one}" for one in self.missing), ""]
        return "\r\n".join(lines)


_File = tuple[str, Format, Transcript, datetime]


def _files(job: Job | None, pk: int, asked: Order, contents: _Contents) -> Iterator[_File]:
    if job is None:
        contents.missing.append(_("Recording %(number)s: it is not there.") % {"number": pk})
        return
    if job.stage not in READABLE:
        contents.missing.append(_("Recording %(number)s: its transcript is not finished.") % {"number": pk})
        return
    for language in asked.languages:
        try:
            for form in asked.formats:
                yield _name(job, language, form), form, results.transcript_of(job, language), job.created_at
        except results.NotTranslated:
            told = {"number": pk, "language": _(LANGUAGES.get(language, language))}
            contents.missing.append(_("Recording %(number)s: it has no finished translation to %(language)s.") % told)


def _name(job: Job, language: str, form: Format) -> str:
    """Unique by the number; of a title only letters, digits and hyphens are left, so that it can be no path."""
    title = slugify(job.source_label or job.source_title or job.source_filename)[:_SLUG_CHARACTERS].strip("-_")
    stem = "-".join(filter(None, (str(job.pk), title)))
    return ".".join(filter(None, (stem, language))) + form.extension


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    """Read by everyone who unpacks it; a ZIP file knows no time zones and nothing before 1980."""
    entry = zipfile.ZipInfo(name, timezone.localtime(max(at, _DOS_EPOCH)).timetuple()[:6])
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry
