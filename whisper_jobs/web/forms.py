"""The form that takes a recording, for browsers that send it without a script. With one, the same fields go to the API."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from whisper_jobs.errors import JobError
from whisper_jobs.intake import Submission
from whisper_jobs.outbound import Guard
from whisper_jobs.web import choices


def _input(**attrs: Any) -> dict[str, Any]:
    return {"class": "input", **attrs}


class SubmitForm(forms.Form):
    """Exactly one of `source_url` and `media_file`; the rest has defaults."""

    source_url = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.URLInput(_input(placeholder="https://", inputmode="url", autocomplete="off")),
    )
    media_file = forms.FileField(
        required=False, allow_empty_file=True, widget=forms.FileInput({"accept": "audio/*,video/*,.amr,.mkv,.opus"})
    )
    model = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    language = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    source_label = forms.CharField(required=False, max_length=200, widget=forms.TextInput(_input()))
    source_note = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(_input(rows=3)))

    def __init__(self, *args: Any, upload_refusal: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.upload_refusal = upload_refusal
        for name, offered in (("model", choices.models()), ("language", choices.languages())):
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def clean_source_url(self) -> str:
        url = str(self.cleaned_data["source_url"]).strip()
        if url:
            try:
                Guard(settings.TOOLS.outbound_allow).check_url(url)
            except JobError as refused:
                raise forms.ValidationError(gettext(refused.message)) from refused
        return url

    def clean_media_file(self) -> UploadedFile[Any] | None:
        file: UploadedFile[Any] | None = self.cleaned_data["media_file"]
        if self.upload_refusal:
            raise forms.ValidationError(self.upload_refusal)
        if file is not None and not file.size:
            raise forms.ValidationError(_("This file is empty."))
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if cleaned["source_url"] and cleaned["media_file"]:
            self.add_error("media_file", _("Hand in a link or a file, not both."))
        if not cleaned["source_url"] and not cleaned["media_file"]:
            self.add_error("source_url", _("Put in a link or choose a file."))
        return cleaned

    def submission(self, owner: User) -> Submission:
        """What the checked form asks for."""
        asked = self.cleaned_data
        return Submission(
            owner=owner,
            source_url=asked["source_url"],
            media_file=asked["media_file"],
            source_label=asked["source_label"],
            source_note=asked["source_note"],
            model=asked["model"] or settings.TOOLS.default_model,
            language=asked["language"],
        )


class AgainForm(forms.Form):
    """Which model to run a recording with once more."""

    model = forms.ChoiceField(widget=forms.Select(_input(**{"aria-label": _("Model")})))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = choices.models()  # type: ignore[attr-defined]
