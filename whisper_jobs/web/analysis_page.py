"""The part of a job's page that a language model fills: the analysis, the translations, and asking for more of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import enrichment, exports, payloads, prompts, queries
from whisper_jobs.language_models.json_reading import clock_of
from whisper_jobs.models import Analysis, EnrichmentState, Job, PromptTemplate, Translation
from whisper_jobs.runs import NotAllowed
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.states import Stage
from whisper_jobs.web import choices
from whisper_jobs.web.page import Page

_OPEN = (EnrichmentState.PENDING, EnrichmentState.RUNNING)


def _select(label: Any) -> dict[str, Any]:
    return {"label": label, "widget": forms.Select({"class": "input"})}


class AnalysisForm(forms.Form):
    """What an analysis is asked for with: its language, and one's own template or none."""

    language = forms.ChoiceField(**_select(gettext_lazy("Language")))
    template = forms.ModelChoiceField(
        PromptTemplate.objects.none(),
        required=False,
        empty_label=gettext_lazy("Built-in"),
        **_select(gettext_lazy("Template")),
    )

    def __init__(self, user: User, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="analysis_%s", **kwargs)
        self.fields["language"].choices = choices.target_languages()  # type: ignore[attr-defined]
        self.fields["template"].queryset = prompts.of(user)  # type: ignore[attr-defined]

    @property
    def instruction(self) -> str:
        chosen = self.cleaned_data["template"]
        return chosen.instruction if chosen else ""


class TranslationForm(forms.Form):
    language = forms.ChoiceField(**_select(gettext_lazy("Language")))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="translation_%s")
        self.fields["language"].choices = choices.target_languages()  # type: ignore[attr-defined]


def context(job: Job, user: User) -> dict[str, Any]:
    """For the templates of this part."""
    analysis = Analysis.objects.filter(job=job).first()
    rows = list(Translation.objects.filter(job=job).order_by("index"))
    completed = job.stage == Stage.COMPLETED
    refusal = _refusal(user, job)
    return {
        "analysis": _analysis(analysis) if analysis else None,
        "translations": [_translation(row) for row in rows],
        "enrich_detail": job.stage_detail if completed else "",
        "enrich_refusal": refusal,
        # There from the start where it may come, so that nothing jumps when it does.
        "enrich_shown": job.stage != Stage.FAILED or analysis is not None or bool(rows),
        "enrich_host": host(),
        "analysis_form": _analysis_form(job, user, analysis) if completed and not refusal else None,
        "translation_form": TranslationForm() if completed and not refusal else None,
    }


def host() -> str:
    """Where a transcript is sent to be analysed or translated."""
    return urlsplit(settings.TOOLS.openai_base_url).hostname or ""


def _refusal(user: User, job: Job) -> str:
    if job.sandbox is not None:
        return _("This recording belongs to the sandbox: nothing was heard, so nothing more can be made of it.")
    if queries.can_enrich(user):
        return ""
    return _("Your account may not use a language model. An administrator can allow it.")


def _analysis(row: Analysis) -> dict[str, Any]:
    told = payloads.analysis(row) or {}
    chapters = [{**one, "clock": clock_of(one["start"])} for one in told["chapters"]]
    return {**told, **_state(row), "chapters": chapters, "other": row.data.get("other", "")}


def _translation(row: Translation) -> dict[str, Any]:
    return {**payloads.translation(row), **_state(row), "downloads": exports.job_menu(row.job_id, row.language)}


def _state(row: Analysis | Translation) -> dict[str, Any]:
    return {
        "state_label": EnrichmentState(row.state).label,
        "language_name": _(LANGUAGES.get(row.language, row.language)),
        "is_open": row.state in _OPEN,
        "tokens": row.prompt_tokens + row.completion_tokens,
    }


def _analysis_form(job: Job, user: User, row: Analysis | None) -> AnalysisForm:
    language = (row and row.language) or job.analysis_language or (get_language() or "en").split("-")[0]
    chosen = prompts.of(user).filter(is_default=True).first()
    return AnalysisForm(user, initial={"language": language, "template": chosen})


class EnrichmentView(Page):
    """This part of the page alone, for the script that keeps it up to date."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        told = {"job": {"id": job.pk, "status": job.status.value}, **context(job, self.user)}
        return render(request, "whisper/job_enrichment.html", told)

    def asked(self, job: Job, form: forms.Form, request_it: Callable[[], object]) -> HttpResponse:
        """Asks for what the form says, and goes back to the job's page, which tells what became of it."""
        problem = _refusal(self.user, job) or ("" if form.is_valid() else _("Choose from what is offered."))
        try:
            if not problem:
                request_it()
        except NotAllowed as error:
            problem = str(error)
        if problem:
            messages.error(self.request, problem)
        return redirect(f"{reverse('web:job', args=[job.pk])}#analysis")


class AnalyseView(EnrichmentView):
    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job, form = self.job(job_id), AnalysisForm(self.user, request.POST)

        def request_it() -> None:
            asked = {"language": form.cleaned_data["language"], "instruction": form.instruction}
            enrichment.request_analysis(job.pk, asked_by=self.user, **asked)

        return self.asked(job, form, request_it)


class TranslateView(EnrichmentView):
    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job, form = self.job(job_id), TranslationForm(request.POST)

        def request_it() -> None:
            enrichment.request_translation(job.pk, asked_by=self.user, language=form.cleaned_data["language"])

        return self.asked(job, form, request_it)
