"""/whisper/speakers: who is enrolled, enrolling, and a speaker's own page with where they were heard and how to erase them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from whisper_jobs import appearances, payloads, speaker_erasure, speaker_nodes, speakers
from whisper_jobs.errors import JobError
from whisper_jobs.models import ReplicaState, Speaker, VoiceSample
from whisper_jobs.speaker_checks import ISSUES, ConsentInvalid
from whisper_jobs.speaker_nodes import Standing
from whisper_jobs.speakers import Enrolled, NoReference, NotReady, NotYours, PreflightFailed
from whisper_jobs.told import in_words_of_the_reader
from whisper_jobs.web import choices, speaker_forms
from whisper_jobs.web.page import Page
from whisper_jobs.web.speaker_forms import DescribeForm, EnrollForm, EraseForm, FilterForm

PER_PAGE, MOST_RECORDINGS = 50, 50


class SpeakerPage(Page):
    """For those who may enrol speakers."""

    permission_required: Any = ("whisper.use", "whisper.scaiecho_enroll")

    def speaker(self, speaker_id: UUID) -> Speaker:
        return get_object_or_404(speakers.visible(self.user).select_related("owner"), pk=speaker_id)

    def speaker_to_change(self, speaker_id: UUID) -> Speaker:
        """Raises NotYours."""
        speaker = self.speaker(speaker_id)
        speakers.demand_change(self.user, speaker)
        return speaker


# --- the list, and enrolling ------------------------------------------------------------------------


class SpeakersView(SpeakerPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(EnrollForm(self.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = EnrollForm(self.user, request.POST, request.FILES)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            enrolled = _enroll(self, form)
        except PreflightFailed as error:
            return self._page(form, status=422, measured=_measured(error.preflight))
        if enrolled is None:
            return self._page(form, status=422)
        _tell(request, enrolled)
        return _lead_to(request, reverse("web:speaker", args=[enrolled.speaker.pk]))

    def _page(self, form: EnrollForm, status: int = 200, **told: Any) -> HttpResponse:
        narrow = FilterForm(self.request.GET)
        found = narrow.narrow(speakers.visible(self.user))
        page = Paginator(found, PER_PAGE).get_page(self.request.GET.get("page"))
        context = {
            "form": form,
            "filter": narrow,
            "narrowed": any(self.request.GET.get(name) for name in narrow.fields),
            "page": page,
            "speakers": _rows(list(page)),
            "is_open": form.is_bound or not found.exists(),
            "texts": speaker_forms.for_script(),
            **told,
        }
        return render(self.request, "whisper/speakers.html", context, status=status)


def _enroll(page: SpeakerPage, form: EnrollForm) -> Enrolled | None:
    """None, with a sentence in the form, where it can't be done. Raises PreflightFailed."""
    files = {name: form.cleaned_data[name] for name in ("reference", "consent")}
    try:
        return speakers.enroll(page.user, form.enrollment, **files)
    except ConsentInvalid as error:
        form.add_error("consent", str(error))
    except NotYours as error:
        form.add_error("scope", str(error))
    except JobError as error:
        form.add_error(None, in_words_of_the_reader(error.message))
    return None


def _lead_to(request: HttpRequest, address: str) -> HttpResponse:
    """A script that followed a redirect would show the next page's messages to nobody, so it is told where to go."""
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=201, headers={"Location": address})
    return redirect(address)


def _tell(request: HttpRequest, enrolled: Enrolled) -> None:
    messages.success(request, _("“%(name)s” is enrolled.") % {"name": enrolled.speaker.display_name})
    if enrolled.like:
        told = _("This voice is very like that of “%(name)s”. Is it the same person?")
        messages.error(request, told % {"name": enrolled.like.display_name})


def _rows(found: list[Speaker]) -> list[dict[str, Any]]:
    held = speaker_nodes.enrolled_on([one.pk for one in found])
    return [{"speaker": one, "nodes": len(held.get(one.pk, []))} for one in found]


@dataclass(frozen=True, slots=True)
class Measure:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What the preflight of a reference found, for the template."""

    ok: bool
    measures: list[Measure]
    issues: list[str]


def _measured(preflight: Mapping[str, Any]) -> Measured | None:
    if not preflight:
        return None
    seconds, speech = (float(preflight.get(name, 0.0)) for name in ("duration_seconds", "speech_seconds"))
    measures = [
        Measure(_("Length"), _("%(count).1f s") % {"count": seconds}),
        Measure(_("Speech"), _("%(count).1f s") % {"count": speech}),
        Measure(_("Speech above noise"), _("%(count).0f dB") % {"count": preflight.get("snr_db", 0.0)}),
        Measure(_("Distorted"), _("%(count).1f %%") % {"count": 100 * preflight.get("clipping_ratio", 0.0)}),
    ]
    issues = [str(ISSUES.get(code, code)) for code in preflight.get("issues", ())]
    return Measured(bool(preflight.get("ok")), measures, issues)


# --- one speaker ------------------------------------------------------------------------------------


class SpeakerView(SpeakerPage):
    def get(self, request: HttpRequest, speaker_id: UUID) -> HttpResponse:
        speaker = self.speaker(speaker_id)
        fields = {"display_name": speaker.display_name, "description": speaker.description}
        return self._page(speaker, DescribeForm(initial=fields))

    def post(self, request: HttpRequest, speaker_id: UUID) -> HttpResponse:
        if request.POST.get("act") == "warm":
            self._warm(self.speaker(speaker_id))
            return redirect("web:speaker", speaker_id)
        form = DescribeForm(request.POST)
        if not form.is_valid():
            return self._page(self.speaker(speaker_id), form, status=422)
        self._describe(self.speaker(speaker_id), form)
        return redirect("web:speaker", speaker_id)

    def _describe(self, speaker: Speaker, form: DescribeForm) -> None:
        try:
            speakers.describe(speaker, form.cleaned_data, actor=self.user)
        except NotYours as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, _("The profile is changed. Transcripts keep the name that they have."))

    def _warm(self, speaker: Speaker) -> None:
        try:
            speakers.warm(speaker, [], actor=self.user)
        except NotYours as error:
            messages.error(self.request, str(error))
        except (NoReference, NotReady):
            messages.error(self.request, _("There is no voice that could be spread."))

    def _page(self, speaker: Speaker, form: DescribeForm, status: int = 200) -> HttpResponse:
        return render(self.request, "whisper/speaker.html", self._context(speaker, form), status=status)

    def _context(self, speaker: Speaker, form: DescribeForm) -> dict[str, Any]:
        cursor = self.request.GET.get("before", "")
        before = int(cursor) if cursor.isdecimal() and len(cursor) < 19 else None
        heard = appearances.of_speaker(speaker.pk, self.user, before=before, limit=MOST_RECORDINGS)
        return {
            "speaker": speaker,
            "language_name": dict(choices.target_languages()).get(speaker.language_primary, speaker.language_primary),
            "form": form,
            "may_change": speakers.may_change(self.user, speaker),
            "measured": _measured(speaker.preflight),
            "standings": [(one, _state(one)) for one in speaker_nodes.standings(speaker)],
            "learnt": VoiceSample.objects.filter(speaker=speaker, job__isnull=False).count(),
            "heard": [(one, payloads.duration_human(one.seconds)) for one in heard.appearances],
            "following": heard.following,
        }


def _state(one: Standing) -> str:
    if one.state == speaker_nodes.BUSY:
        return _("At work, will follow")
    return str(ReplicaState(one.state).label) if one.state else _("Has not needed it yet")


# --- erasing ----------------------------------------------------------------------------------------


class EraseView(SpeakerPage):
    """GET asks; POST erases and shows the receipt, which is shown once: afterwards there is nothing to show it of."""

    def get(self, request: HttpRequest, speaker_id: UUID) -> HttpResponse:
        return self._ask(self.speaker(speaker_id), EraseForm())

    def post(self, request: HttpRequest, speaker_id: UUID) -> HttpResponse:
        form = EraseForm(request.POST)
        if not form.is_valid():
            return self._ask(self.speaker(speaker_id), form, status=422)
        try:
            speaker = self.speaker_to_change(speaker_id)
        except NotYours as error:
            messages.error(request, str(error))
            return redirect("web:speaker", speaker_id)
        receipt = speaker_erasure.erase(speaker.pk, actor=self.user)
        return render(request, "whisper/speaker_erased.html", {"receipt": receipt})

    def _ask(self, speaker: Speaker, form: EraseForm, status: int = 200) -> HttpResponse:
        return render(self.request, "whisper/speaker_erase.html", {"speaker": speaker, "form": form}, status=status)
