"""The part of a job's page about the sound: who speaks how long, and what of the speech has no words yet."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from whisper_jobs import appearances, assembled, corrections, diarization, gaps, payloads, results
from whisper_jobs.correction_changes import Identify, Unsuitable
from whisper_jobs.correction_sheet import Conflict, NotReady
from whisper_jobs.models import Job, Speaker, Step
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


def context(job: Job, user: User) -> dict[str, Any]:
    """For the template."""
    told = payloads.diarization(job)
    steps = dict(Step.objects.filter(job=job, kind__in=(Kind.DIARIZE, Kind.REFILL)).values_list("kind", "state"))
    at_work = (StepState.READY, StepState.RUNNING)
    return {
        "speech_shown": job.stage == Stage.COMPLETED,
        "sound_is_gone": job.media_removed_at is not None or job.sandbox is not None,
        "speech_url": reverse("web:speech", args=[job.pk]),
        "speakers": _speakers(told["speakers"]),
        "identify": _identify(job, user) if told["speakers"] else None,
        "may_enroll": user.has_perm("whisper.scaiecho_enroll"),
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
            "label": one["label"],
            "name": results.name_shown(one),
            "speaker_id": one["speaker_id"],
            "recognised": one["recognised"],
            "duration": payloads.duration_human(one["seconds"]),
            "share": round(100 * one["seconds"] / total),
        }
        for one in told
    ]


def _identify(job: Job, user: User) -> list[Speaker]:
    """Whom the speakers of the recording may be named as."""
    return list(appearances.candidates(job, user)[: appearances.MOST_CANDIDATES])


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
        return render(request, "whisper/job_speech.html", context(self.job(job_id), self.user))

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        try:
            self._do(job, request.POST.get("act"))
        except (NotAllowed, Unsuitable, Conflict, NotReady) as error:
            messages.error(request, str(error))
        return redirect(f"{reverse('web:job', args=[job.pk])}#speech")

    def _do(self, job: Job, act: str | None) -> None:
        if act == "refill":
            gaps.request_refill(job.pk)
        elif act in ("identify", "deny"):
            _name(job, self.request.POST, self.user, is_denied=act == "deny")
        else:
            _diarize(job, SpeakersForm(self.request.POST))


def _name(job: Job, told: QueryDict, by: User, *, is_denied: bool) -> None:
    """Raises Unsuitable, Conflict, NotReady."""
    try:
        link = None if is_denied else appearances.link_of(job, UUID(told.get("speaker", "")), by)
    except (ValueError, appearances.NobodyThere) as error:
        raise Unsuitable("identify", _("There is no such enrolled speaker whom you could name.")) from error
    change = Identify({told.get("label", ""): link})
    corrections.correct(job.pk, change, author=by, request_id=uuid4())


def _diarize(job: Job, form: SpeakersForm) -> None:
    count = form.count if form.is_valid() else None
    diarization.request_diarization(job.pk, min_speakers=count, max_speakers=count)
