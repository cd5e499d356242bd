"""/whisper/jobs/{id}/check: from one place that looks wrong to the next. The script does the walking, through the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from whisper_jobs.models import Job
from whisper_jobs.states import READABLE
from whisper_jobs.web import texts
from whisper_jobs.web.page import Page
from whisper_jobs.web.player import player_of


class CheckView(Page):
    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        is_ready = job.stage in READABLE
        told = {
            "job": job,
            "is_ready": is_ready,
            "player": player_of(job) if is_ready else None,
            "texts": {**texts.for_scripts(), **own(), "reasons": _reasons()},
            "start": _start(job),
        }
        return render(request, "whisper/check.html", told)


def _start(job: Job) -> dict[str, Any]:
    """For the script."""
    api = reverse("native:job", args=[job.pk])
    return {
        "job": job.pk,
        "duration": job.source_duration_seconds,
        "spots_url": reverse("native:spots", args=[job.pk]),
        "corrections_url": f"{api}/corrections",
        "glossary_url": reverse("native:glossary"),
    }


def _reasons() -> dict[str, str]:
    """Why a place is shown, by speech.spots.Reason."""
    return {
        "repeats": _("It repeats itself."),
        "no_speech": _("Nobody may be speaking here."),
        "unsure": _("The engine was unsure of all of this."),
        "words": _("The engine was unsure of the marked words."),
        "term": _("The marked words are nearly a term of the glossary."),
        "gap": _("Somebody speaks here, but nothing was written."),
    }


def own() -> dict[str, str]:
    """Those that only this page's script shows."""
    return {
        "check_place": _("{n} of {total}"),
        "check_more": _("{n} of {total} or more"),
        "check_saving": _("Saving…"),
        "check_accepted": _("Found right"),
        "check_saved": _("Saved"),
        "check_undone": _("Taken back"),
        "check_conflict": _("Somebody changed this meanwhile. It reads like this now; your text is below."),
        "check_gone": _("Somebody took this out meanwhile."),
        "check_nothing_to_undo": _("There is nothing to take back."),
        "check_term": _("In the glossary: {term}"),
        "check_use_term": _("Write “{term}”"),
        "check_added": _("“{term}” is in your glossary now."),
        "check_found": _("{count} places"),
        "check_found_one": _("1 place"),
        "check_found_none": _("This occurs nowhere else."),
        "check_replaced": _("Changed in {count} places"),
        "check_result": _("{accepted} found right, {fixed} changed, {left} left for later."),
        "check_key_accept": _("It is right; next"),
        "check_key_edit": _("Change the text"),
        "check_key_leave": _("Leave the text"),
        "check_key_everywhere": _("Change everywhere"),
        "check_key_term": _("Add to the glossary"),
        "check_key_next": _("Next place, this one later"),
        "check_key_previous": _("Previous place"),
        "check_key_undo": _("Take the last change back"),
        "check_key_play": _("Play once more"),
    }
