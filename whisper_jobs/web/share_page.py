"""The part of a job's page that shares its transcript: as a form for every browser, and alone for the script that renews it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sharing import links, owning
from sharing.models import Share
from sharing.owning import LEAST_PASSCODE, MOST_DAYS, MOST_PASSCODE, Options
from whisper_jobs import playback
from whisper_jobs.models import Job
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Stage
from whisper_jobs.web.page import Page

KEEP, NEVER, DATE = "keep", "never", "date"
#: The header with which the script asks for the part alone.
ALONE = "X-Part"
_PERIODS = [
    (NEVER, gettext_lazy("Never")),
    ("1", gettext_lazy("After a day")),
    ("7", gettext_lazy("After a week")),
    ("30", gettext_lazy("After a month")),
    (DATE, gettext_lazy("On a date…")),
]


class ShareForm(forms.Form):
    """What a link can be given. Without a new passcode the one that is set stays, unless it is to be removed."""

    expires = forms.ChoiceField(
        label=gettext_lazy("Expires"), required=False, widget=forms.Select({"class": "input"}), choices=_PERIODS
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"), required=False, widget=forms.DateInput({"class": "input", "type": "date"})
    )
    passcode = forms.CharField(
        label=gettext_lazy("Passcode"),
        required=False,
        min_length=LEAST_PASSCODE,
        max_length=MOST_PASSCODE,
        widget=forms.TextInput({"class": "input", "autocomplete": "off", "spellcheck": "false"}),
    )
    remove_passcode = forms.BooleanField(label=gettext_lazy("Remove the passcode"), required=False)
    allow_audio = forms.BooleanField(label=gettext_lazy("Visitors may play the recording"), required=False)
    show_analysis = forms.BooleanField(label=gettext_lazy("Visitors may read the analysis"), required=False)

    def __init__(self, data: Any = None, *, share: Share | None = None) -> None:
        super().__init__(data, initial=_initial(share), auto_id="share_%s")
        if share is not None:
            self.fields["expires"].choices = [(KEEP, _("As it is")), *_PERIODS]  # type: ignore[attr-defined]
        if share is not None and share.passcode:
            self.fields["passcode"].widget.attrs["placeholder"] = _("As it is")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("expires") == DATE and "expires_on" not in self.errors:
            today, day = timezone.now().date(), cleaned.get("expires_on")
            if day is None or not today <= day < today + timedelta(days=MOST_DAYS):
                self.add_error("expires_on", _("Choose a day that is still to come, within ten years."))
        return cleaned

    @property
    def options(self) -> Options:
        told = self.cleaned_data
        options = Options(allow_audio=told["allow_audio"], show_analysis=told["show_analysis"])
        if told["passcode"] or told["remove_passcode"]:
            options["passcode"] = told["passcode"]
        if told["expires"] not in (KEEP, ""):
            options["expires_at"] = self._expires_at()
        return options

    def _expires_at(self) -> datetime | None:
        asked = self.cleaned_data["expires"]
        if asked == DATE:
            return datetime.combine(self.cleaned_data["expires_on"], time.max, UTC)
        return None if asked == NEVER else timezone.now() + timedelta(days=int(asked))


def _initial(share: Share | None) -> dict[str, Any]:
    """As the share is; a first one is made with what its columns say."""
    shown = share or Share()
    kept = {"allow_audio": shown.allow_audio, "show_analysis": shown.show_analysis}
    return {"expires": KEEP if share else NEVER, **kept}


def context(job: Job, form: ShareForm | None = None, error: str = "") -> dict[str, Any]:
    """For the template; a form that was refused is shown with what was typed."""
    share = links.current(job) if job.stage == Stage.COMPLETED else None
    return {
        "share": share,
        "share_url": links.url_of(share) if share else "",
        "share_form": form or ShareForm(share=share),
        "share_error": error,
        "share_part_url": reverse("web:share", args=[job.pk]),
        "can_share": job.stage == Stage.COMPLETED,
        "can_play": playback.is_playable(job),
    }


class ShareView(Page):
    """GET: the part alone. POST: a change, answered with the part where a script asks, else with the page."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        return render(request, "whisper/job_share.html", context(self.job(job_id)))

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        form = ShareForm(request.POST, share=links.current(job))
        error = _act(job, request.POST.get("act", ""), form)
        if ALONE in request.headers:
            told = context(job, form if form.is_bound and error else None, error)
            return render(request, "whisper/job_share.html", told, status=422 if error else 200)
        if error:
            messages.error(request, error)
        return redirect(f"{reverse('web:job', args=[job.pk])}#share")


def _act(job: Job, act: str, form: ShareForm) -> str:
    """Does what was asked; why it was not done, as a sentence, else nothing."""
    try:
        if act == "revoke":
            owning.revoke(job.pk)
        elif act == "renew":
            owning.share(job.pk, {}, new_link=True)
        elif not form.is_valid():
            return str(next(iter(form.errors.values()))[0])
        elif act == "change":
            owning.change(job.pk, form.options)
        else:
            owning.share(job.pk, form.options)
    except NotAllowed as error:
        return str(error)
    except Gone:
        return _("This recording no longer exists.")
    return ""
