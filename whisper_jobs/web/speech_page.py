"""The part of a job's page about the sound: who speaks how long, and what of the speech has no words yet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from whisper_jobs import assembled, diarization, gaps, payloads, results
from whisper_jobs.models import Job, Step
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Kind, Stage, StepState
from whisper_jobs.web import choices
from whisper_jobs.web.page import Page

#: Gaps that are listed; what is transcribed again are all of them.
GAPS = 20


class SpeakersForm(forms.Form):
    speakers = forms.ChoiceField(
        required=False, label=gettext_lazy("Number of speakers"), widget=forms.Select({"class": "input"})
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        offered = [choice for choice in choices.speakers() if choice[0] != choices.NO_SPEAKERS]
        self.fields["speakers"].choices = offered  # type: ignore[attr-defined]

    @property
    def count(self) -> int | None:
        return int(self.cleaned_data["speakers"]) if self.cleaned_data["speakers"] else None


def context(job: Job) -> dict[str, Any]:
    """For the template."""
    told = payloads.diarization(job)
    steps = dict(Step.objects.filter(job=job, kind__in=(Kind.DIARIZE, Kind.REFILL)).values_list("kind", "state"))
    at_work = (StepState.READY, StepState.RUNNING)
    return {
        "speech_shown": job.stage == Stage.COMPLETED,
        "speech_url": reverse("web:speech", args=[job.pk]),
        "speakers": _speakers(told["speakers"]),
        "speakers_reason": told["reason"] or "",
        "speakers_at_work": steps.get(Kind.DIARIZE) in at_work,
        "speakers_form": SpeakersForm(initial={"speakers": job.min_speakers or ""}),
        "refill_at_work": steps.get(Kind.REFILL) in at_work,
        "refill_failed": steps.get(Kind.REFILL) == StepState.FAILED,
        **_coverage(job),
    }


def _speakers(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    total = sum(one["seconds"] for one in told) or 1.0
    return [
        {
            "name": results.name_shown(one),
            "duration": payloads.duration_human(one["seconds"]),
            "share": round(100 * one["seconds"] / total),
        }
        for one in told
    ]


def _coverage(job: Job) -> dict[str, Any]:
    row = assembled.fresh(job)
    covered = row.coverage if row else {}
    holes = covered.get("gaps", [])
    listed = [
        {"start": gap["start"], "clock": payloads.duration_human(gap["start"]), "seconds": gap["end"] - gap["start"]}
        for gap in holes[:GAPS]
    ]
    # Nearly all is not all.
    percent = min(99 if holes else 100, round(100 * covered.get("ratio", 1.0)))
    return {"covered": percent if covered else None, "gaps": listed, "more_gaps": max(0, len(holes) - GAPS)}


class SpeechView(Page):
    """GET: the part alone. POST: what is asked for, then the page."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        return render(request, "whisper/job_speech.html", context(self.job(job_id)))

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        try:
            if request.POST.get("act") == "refill":
                gaps.request_refill(job.pk)
            else:
                _diarize(job, SpeakersForm(request.POST))
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect(f"{reverse('web:job', args=[job.pk])}#speech")


def _diarize(job: Job, form: SpeakersForm) -> None:
    count = form.count if form.is_valid() else None
    diarization.request_diarization(job.pk, min_speakers=count, max_speakers=count)
