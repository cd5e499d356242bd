"""/whisper/templates: a person's own instructions for analyses."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from whisper_jobs import prompts, queries
from whisper_jobs.models import PromptTemplate
from whisper_jobs.web.page import Page

MOST_CHARACTERS = 10_000


class PromptForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker alone
    instruction = forms.CharField(
        label=gettext_lazy("Instruction"),
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea({"rows": 8}),
        help_text=gettext_lazy("Say what matters to you and what to leave out, as you would tell a colleague."),
    )

    class Meta:
        model = PromptTemplate
        fields = ("name", "instruction", "is_default")
        labels = {"name": gettext_lazy("Name"), "is_default": gettext_lazy("Use it for new recordings")}

    def clean(self) -> dict[str, str]:
        cleaned = super().clean() or {}
        for field in ("name", "instruction"):
            if "\0" in cleaned.get(field, ""):
                self.add_error(field, _("This text holds a character that can't be stored."))
        return cleaned

    def keep(self) -> bool:
        """Saves it; False, with an error at its name, when there is one of that name."""
        try:
            prompts.save(self.instance)
        except IntegrityError:
            self.add_error("name", _("You have a template of this name."))
            return False
        return True


class PromptsView(Page):
    """All of them, and the form for a new one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(PromptForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PromptForm(request.POST, instance=PromptTemplate(owner=self.user))
        if form.is_valid() and prompts.of(self.user).count() >= prompts.MOST_TEMPLATES:
            form.add_error(None, _("You have as many templates as this server keeps. Delete one first."))
        if not (form.is_valid() and form.keep()):
            return self._page(form, status=422)
        messages.success(request, _("The template is kept."))
        return redirect("web:prompts")

    def _page(self, form: PromptForm, status: int = 200) -> HttpResponse:
        told = {"form": form, "prompts": prompts.of(self.user), "may_enrich": queries.can_enrich(self.user)}
        return render(self.request, "whisper/prompts.html", told, status=status)


class PromptView(Page):
    """One of them, to be changed."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        template = self.template(pk)
        return self._page(template, PromptForm(instance=template))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        template = self.template(pk)
        form = PromptForm(request.POST, instance=template)
        if not (form.is_valid() and form.keep()):
            return self._page(self.template(pk), form, status=422)
        messages.success(request, _("The template is kept."))
        return redirect("web:prompts")

    def template(self, pk: int) -> PromptTemplate:
        return get_object_or_404(prompts.of(self.user), pk=pk)

    def _page(self, template: PromptTemplate, form: PromptForm, status: int = 200) -> HttpResponse:
        return render(self.request, "whisper/prompt.html", {"form": form, "prompt": template}, status=status)


class DeletePromptView(PromptView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return redirect("web:prompt", pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.template(pk).delete()
        messages.success(request, _("The template is deleted. What was analysed with it stays."))
        return redirect("web:prompts")
