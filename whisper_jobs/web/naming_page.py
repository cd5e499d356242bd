"""The form on a job's page that gives a recording another title and note."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from whisper_jobs import naming
from whisper_jobs.models import Job
from whisper_jobs.web.page import Page


class NamingForm(forms.Form):
    source_label = forms.CharField(
        required=False,
        max_length=naming.LONGEST_LABEL,
        label=gettext_lazy("Title"),
        widget=forms.TextInput({"class": "input", "dir": "auto", "autocomplete": "off"}),
    )
    source_note = forms.CharField(
        required=False,
        max_length=naming.LONGEST_NOTE,
        label=gettext_lazy("About the recording"),
        widget=forms.Textarea({"class": "input", "dir": "auto", "rows": 3}),
    )


def context(job: Job) -> dict[str, Any]:
    """For the template. What is left empty is called as its source is."""
    form = NamingForm(initial={"source_label": job.source_label, "source_note": job.source_note}, auto_id="naming_%s")
    form.fields["source_label"].widget.attrs["placeholder"] = job.source_title or job.source_filename or job.source_url
    return {"naming_form": form}


class NamingView(Page):
    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job, form = self.job(job_id), NamingForm(request.POST)
        if form.is_valid():
            naming.rename(job.pk, label=form.cleaned_data["source_label"], note=form.cleaned_data["source_note"])
        else:
            messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect("web:job", job.pk)
