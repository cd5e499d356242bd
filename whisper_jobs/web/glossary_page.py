"""/whisper/glossary: a person's own names and terms, one a line; in as text or as a file, out as a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from whisper_jobs import glossary
from whisper_jobs.web.page import Page

MOST_BYTES = 500_000


class TermsForm(forms.Form):
    terms = forms.CharField(
        required=False,
        label=gettext_lazy("Names and terms, one a line"),
        max_length=MOST_BYTES,
        widget=forms.Textarea({"rows": 6, "dir": "auto", "autocapitalize": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        label=gettext_lazy("Or a text file with one a line"),
        widget=forms.FileInput({"accept": ".txt,text/plain"}),
    )

    def clean_file(self) -> str:
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is None:
            return ""
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("This file is too large for a glossary."))
        try:
            return bytes(file.read()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("This file is no text in UTF-8. Save it as such and try again.")) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.lines:
            self.add_error("terms", _("Write at least one term."))
        return cleaned

    @property
    def lines(self) -> list[str]:
        told = self.cleaned_data
        return glossary.tidy(f"{told.get('terms', '')}\n{told.get('file', '')}".splitlines())


class GlossaryView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(TermsForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TermsForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(form, status=422)
        added = glossary.add(self.user, form.lines)
        messages.success(request, _told(added))
        if added.left_out:
            messages.error(request, _left_out(added.left_out))
        return redirect("web:glossary")

    def _page(self, form: TermsForm, status: int = 200) -> HttpResponse:
        terms = glossary.of(self.user)
        told = {"form": form, "terms": terms, "most_heard": glossary.MOST_HOTWORDS}
        return render(self.request, "whisper/glossary.html", told, status=status)


def _told(added: glossary.Added) -> str:
    kept = ngettext("%(count)d term was added.", "%(count)d terms were added.", added.kept) % {"count": added.kept}
    if not added.known:
        return kept
    known = ngettext("%(count)d was there before.", "%(count)d were there before.", added.known) % {
        "count": added.known
    }
    return f"{kept} {known}"


def _left_out(count: int) -> str:
    return ngettext(
        "%(count)d term was left out: it is longer than %(letters)d letters, or there is no more room.",
        "%(count)d terms were left out: they are longer than %(letters)d letters, or there is no more room.",
        count,
    ) % {"count": count, "letters": glossary.LONGEST_TERM}


class RemoveTermsView(Page):
    """Those that were ticked, or the one whose button it was."""

    def post(self, request: HttpRequest) -> HttpResponse:
        count = glossary.remove(self.user, request.POST.getlist("term"))
        told = ngettext("%(count)d term was taken out.", "%(count)d terms were taken out.", count) % {"count": count}
        messages.success(request, told)
        return redirect("web:glossary")


class GlossaryFileView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        text = "".join(f"{term}\n" for term in glossary.texts_of(self.user))
        told = HttpResponse(text, content_type="text/plain; charset=utf-8")
        told["Content-Disposition"] = 'attachment; filename="glossary.txt"'
        return told
