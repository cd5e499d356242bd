"""/whisper/library: search, filters, tags, the trash. The address says all that is asked for, so that it can be kept and shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from whisper_jobs import library, payloads, places, queries
from whisper_jobs.library import Found, Wanted
from whisper_jobs.models import Job, SavedView, Tag
from whisper_jobs.places import Part, Place
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.states import Stage, Status
from whisper_jobs.web import choices, texts
from whisper_jobs.web.library_forms import WantedForm, address_of, filters_in
from whisper_jobs.web.page import Page

#: Sent by the script of the page, which wants the list alone.
PART = "X-Library-Part"
#: Formats that a ZIP file of several transcripts is offered in.
OFFERED = ("txt", "docx", "pdf", "markdown", "srt", "vtt", "json", "csv")
#: Recordings of which one notice can undo the discarding.
MOST_UNDONE = 100


@dataclass(frozen=True, slots=True)
class Row:
    job: Job
    title: tuple[Part, ...]
    duration: str
    language: str
    status: str
    tags: list[Tag]
    places: list[tuple[str, str, Place]]


class LibraryView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        tags = list(Tag.objects.filter(owner=self.user).order_by("name"))
        form = WantedForm(request.GET, self.user, tags)
        wanted = form.wanted()
        found = library.find(self.user, wanted)
        told = _list(found, wanted) | {"manages": queries.can_manage_all(self.user), "tags": tags}
        if PART in request.headers:
            return render(request, "whisper/library_results.html", told)
        return render(request, "whisper/library.html", told | self._around(form, wanted))

    def _around(self, form: WantedForm, wanted: Wanted) -> dict[str, Any]:
        """What stands beside the list."""
        return {
            "form": form,
            "filters": filters_in(wanted),
            "views": SavedView.objects.filter(owner=self.user).order_by("name"),
            "undo": undo_of(self.request),
            "texts": texts.for_scripts(),
        }


def _list(found: Found, wanted: Wanted) -> dict[str, Any]:
    return {
        "rows": [_row(job, found) for job in found.jobs],
        "wanted": wanted,
        "here": address_of(wanted),
        "kept": address_of(wanted, page=1),
        "narrowed": bool(wanted.text or filters_in(wanted)),
        "languages": choices.target_languages(),
        "days": settings.TOOLS.trash_days,
        "formats": [(name, FORMATS[name].extension.lstrip(".").upper()) for name in OFFERED],
        "back": address_of(wanted, page=wanted.page - 1) if wanted.page > 1 else None,
        "further": address_of(wanted, page=wanted.page + 1) if found.has_more else None,
    }


def _row(job: Job, found: Found) -> Row:
    language = LANGUAGES.get(job.text_language, "")
    address = reverse("web:job", args=[job.pk])
    return Row(
        job=job,
        title=places.marked(job.title, found.query),
        duration=payloads.duration_human(job.source_duration_seconds) or "",
        language=_(language) if language else "",
        status=str(Stage(job.stage).label if job.stage == Stage.REVIEWING else Status(job.status).label),
        tags=found.tags.get(job.pk, []),
        places=[
            (f"{address}#t={int(one.start)}", payloads.duration_human(int(one.start)) or "", one)
            for one in found.places.get(job.pk, [])
        ],
    )


def undo_of(request: HttpRequest) -> list[str]:
    """Jobs that were just thrown away, from the address: one notice offers to take them out again."""
    told = request.GET.get("undo", "").split(",")[:MOST_UNDONE]
    return [one for one in told if one.isascii() and one.isdecimal() and len(one) < 19]
