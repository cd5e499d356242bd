"""Who changed what in a transcript, newest first; taking it back, going back to a version, and reading one as it was."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4, uuid5

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from whisper_jobs import corrections, exports, payloads, results, versions
from whisper_jobs.correction_changes import Change, Restore, Undo, Unsuitable
from whisper_jobs.correction_sheet import Conflict, NotReady
from whisper_jobs.models import Job
from whisper_jobs.speech.transcript import paragraphs
from whisper_jobs.web import history_entries
from whisper_jobs.web.page import Page

PAGE = 50
_MOST = 2**31 - 1


class ActForm(forms.Form):
    """`first` and `number` are the numbers of what was typed in one go, which is taken back as one."""

    request_id = forms.UUIDField()
    act = forms.ChoiceField(choices=[("undo", ""), ("restore", "")])
    number = forms.IntegerField(min_value=0, max_value=_MOST)
    first = forms.IntegerField(min_value=1, max_value=_MOST, required=False)

    def changes(self) -> list[tuple[UUID, Change]]:
        told, number = self.cleaned_data, self.cleaned_data["number"]
        if told["act"] == "restore":
            return [(told["request_id"], Restore(number))]
        first = max(told["first"] or number, number - history_entries.MOST_TOGETHER)
        return [(uuid5(told["request_id"], str(one)), Undo(one)) for one in range(number, first - 1, -1)]


class HistoryView(Page):
    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        return render(request, "whisper/history.html", _context(job, request))

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job, form = self.job(job_id), ActForm(request.POST)
        if not form.is_valid():
            raise Http404
        try:
            corrections.correct_all(job.pk, form.changes(), author=self.user)
            messages.success(request, _done(form.cleaned_data["act"]))
        except (Conflict, NotReady, Unsuitable) as error:
            messages.error(request, str(error))
        return redirect("web:history", job.pk)


def _done(act: str) -> str:
    return _("The transcript is as it was in that version.") if act == "restore" else _("The correction is taken back.")


def _context(job: Job, request: HttpRequest) -> dict[str, Any]:
    who, before = (_number(request.GET.get(name, "")) for name in ("who", "before"))
    page = corrections.newest(job, before, PAGE, who)
    following = [(name, value) for name, value in (("who", who), ("before", page.following)) if value is not None]
    return {
        "job": job,
        "entries": history_entries.entries(job, page.corrections, together=who is None),
        "version": versions.newest(job.pk),
        "people": [(one.pk, one.name or one.email) for one in corrections.authors(job)],
        "who": who,
        "is_first_page": before is None,
        "request_id": uuid4(),
        "next_href": f"?{urlencode(following)}" if page.following else "",
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


class VersionView(Page):
    """The transcript as it was; the engine's own is version 0."""

    def get(self, request: HttpRequest, job_id: int, number: int) -> HttpResponse:
        job = self.job(job_id)
        try:
            segments = results.segments_at(job, number)
        except versions.NoSuchVersion as error:
            raise Http404 from error
        told = [{"clock": payloads.duration_human(one.start), "said": one} for one in paragraphs(segments)]
        context = {"job": job, "number": number, "paragraphs": told, "downloads": _downloads(job, number)}
        return render(request, "whisper/version.html", {**context, "request_id": uuid4(), **_standing(job, number)})


def _standing(job: Job, number: int) -> dict[str, Any]:
    return {"is_newest": number == versions.newest(job.pk), "text_language": job.text_language}


def _downloads(job: Job, number: int) -> list[exports.Group]:
    """Every format, of this version."""
    return exports.menu(lambda name: reverse("native:export", args=[job.pk, name]), version=number)
