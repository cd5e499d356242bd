"""The form that takes a recording, for browsers that send it without a script. With one, the same fields go to the API."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from whisper_jobs.errors import JobError
from whisper_jobs.intake import Submission
from whisper_jobs.models import Task
from whisper_jobs.outbound import Guard
from whisper_jobs.told import in_words_of_the_reader
from whisper_jobs.web import choices

#: Languages to translate to that the form offers; the API takes more.
TRANSLATION_SELECTS = 3
#: Names and terms, as many as the API takes.
MOST_TERMS = 200


def _input(**attrs: Any) -> dict[str, Any]:
    return {"class": "input", **attrs}


class LanguagesField(forms.MultipleChoiceField):
    """As many languages as there are selects of this name; those left empty count for nothing, doubles once."""

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(filter(None, super().to_python(value))))


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
    analysis_language = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    translation_target_languages = LanguagesField(required=False)
    speakers = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    task = forms.ChoiceField(required=False, choices=Task.choices, widget=forms.Select(_input()))
    hotwords = forms.CharField(required=False, max_length=4000, widget=forms.TextInput(_input(autocomplete="off")))
    initial_prompt = forms.CharField(required=False, max_length=1000, widget=forms.Textarea(_input(rows=2)))
    source_label = forms.CharField(required=False, max_length=200, widget=forms.TextInput(_input()))
    source_note = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(_input(rows=3)))

    def __init__(self, *args: Any, upload_refusal: str = "", may_enrich: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.upload_refusal, self.may_enrich = upload_refusal, may_enrich
        offered = {
            "model": choices.models(),
            "language": choices.languages(),
            "analysis_language": [("", gettext("No analysis")), *choices.target_languages()],
            "translation_target_languages": choices.target_languages(),
            "speakers": choices.speakers(),
        }
        for name, values in offered.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]

    def translation_selects(self) -> list[str]:
        """What each of the selects for a language to translate to has chosen."""
        chosen = self["translation_target_languages"].value() or []
        return [*chosen, *[""] * TRANSLATION_SELECTS][: max(TRANSLATION_SELECTS, len(chosen))]

    def clean_source_url(self) -> str:
        url = str(self.cleaned_data["source_url"]).strip()
        if url:
            try:
                Guard(settings.TOOLS.outbound_allow).check_url(url)
            except JobError as refused:
                raise forms.ValidationError(in_words_of_the_reader(refused.message)) from refused
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
            analysis_language=asked["analysis_language"],
            translation_target_languages=tuple(asked["translation_target_languages"]),
            task=asked["task"] or Task.TRANSCRIBE,
            hotwords=_terms(asked["hotwords"]),
            initial_prompt=asked["initial_prompt"],
            **_speakers(asked["speakers"]),
        )


def _terms(text: str) -> tuple[str, ...]:
    """As the API reads them."""
    terms = (term.strip()[:100] for term in re.split(r"[,\n]", text))
    return tuple(dict.fromkeys(filter(None, terms)))[:MOST_TERMS]


def _speakers(chosen: str) -> dict[str, Any]:
    """What the choice of `choices.speakers` means."""
    count = int(chosen) if chosen.isdecimal() else None
    return {"disable_diarization": chosen == choices.NO_SPEAKERS, "min_speakers": count, "max_speakers": count}


class AgainForm(forms.Form):
    """Which model to run a recording with once more."""

    model = forms.ChoiceField(widget=forms.Select(_input(**{"aria-label": _("Model")})))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = choices.models()  # type: ignore[attr-defined]
