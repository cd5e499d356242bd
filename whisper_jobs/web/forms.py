"""The form that takes a recording, for browsers that send it without a script. With one, the same fields go to the API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
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
#: Links in one form, and characters of one.
MOST_AT_ONCE, LONGEST_ADDRESS = 200, 4000


def _input(**attrs: Any) -> dict[str, Any]:
    return {"class": "input", **attrs}


class LanguagesField(forms.MultipleChoiceField):
    """As many languages as there are selects of this name; those left empty count for nothing, doubles once."""

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(filter(None, super().to_python(value))))


class AddressesField(forms.CharField):
    """Links, each on a line of its own; doubles count once."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        lines = (line.strip() for line in str(value or "").replace("\0", "").splitlines())
        return list(dict.fromkeys(filter(None, lines)))

    def run_validators(self, value: Any) -> None:
        """Length is a matter of each line, which clean_source_url looks at."""


class Files(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """As many files as were chosen."""

    widget = Files

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        return [super(FilesField, self).clean(one, initial) for one in data or []]


class SubmitForm(forms.Form):
    """Links in `source_url` or files in `media_file`, each of which becomes a recording; the rest has defaults and is for all."""

    source_url = AddressesField(
        required=False,
        widget=forms.Textarea(
            _input(placeholder="https://", inputmode="url", autocomplete="off", spellcheck="false", rows=1)
        ),
    )
    media_file = FilesField(
        required=False, allow_empty_file=True, widget=Files({"accept": "audio/*,video/*,.amr,.mkv,.opus"})
    )
    model = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    language = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    analysis_language = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    translation_target_languages = LanguagesField(required=False)
    speakers = forms.ChoiceField(required=False, widget=forms.Select(_input()))
    task = forms.ChoiceField(required=False, choices=Task.choices, widget=forms.Select(_input()))
    hotwords = forms.CharField(required=False, max_length=4000, widget=forms.TextInput(_input(autocomplete="off")))
    #: Ticked from the start; shown to those only who have one.
    use_glossary = forms.BooleanField(required=False, initial=True)
    human_review = forms.BooleanField(required=False)
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

    def clean_source_url(self) -> list[str]:
        urls: list[str] = self.cleaned_data["source_url"]
        if len(urls) > MOST_AT_ONCE:
            raise forms.ValidationError(gettext("Put in at most %(most)d links at once.") % {"most": MOST_AT_ONCE})
        if told := [f"{url}: {problem}" for url in urls if (problem := _problem_of(url))]:
            raise forms.ValidationError(told if len(urls) > 1 else _problem_of(urls[0]))
        return urls

    def clean_media_file(self) -> list[UploadedFile[Any]]:
        files: list[UploadedFile[Any]] = self.cleaned_data["media_file"]
        if self.upload_refusal:
            raise forms.ValidationError(self.upload_refusal)
        if empty := [str(file.name) for file in files if not file.size]:
            problem = gettext("This file is empty.")
            raise forms.ValidationError([f"{name}: {problem}" for name in empty] if len(files) > 1 else problem)
        return files

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if cleaned["source_url"] and cleaned["media_file"]:
            self.add_error("media_file", _("Hand in a link or a file, not both."))
        if not cleaned["source_url"] and not cleaned["media_file"]:
            self.add_error("source_url", _("Put in a link or choose a file."))
        return cleaned

    def submissions(self, owner: User) -> list[Submission]:
        """What the checked form asks for: one for each link or file. A title for several is numbered."""
        asked, options = self.cleaned_data, self._options(owner)
        told = [
            *(replace(options, source_url=url) for url in asked["source_url"]),
            *(replace(options, media_file=file) for file in asked["media_file"]),
        ]
        title = options.source_label
        if title and len(told) > 1:
            return [replace(one, source_label=f"{title[:190]} {place}") for place, one in enumerate(told, start=1)]
        return told

    def keep(self, left: Sequence[Submission]) -> None:
        """Shows the form again with the links that were not taken; files have to be chosen again, as browsers have it."""
        addresses = "\n".join(one.source_url for one in left if one.source_url)
        data = cast(QueryDict, self.data).copy()
        data["source_url"] = addresses
        self.data = data

    def _options(self, owner: User) -> Submission:
        asked = self.cleaned_data
        return Submission(
            owner=owner,
            source_label=asked["source_label"],
            source_note=asked["source_note"],
            model=asked["model"] or settings.TOOLS.default_model,
            language=asked["language"],
            analysis_language=asked["analysis_language"],
            translation_target_languages=tuple(asked["translation_target_languages"]),
            task=asked["task"] or Task.TRANSCRIBE,
            hotwords=_terms(asked["hotwords"]),
            use_glossary=asked["use_glossary"],
            needs_approval=asked["human_review"],
            initial_prompt=asked["initial_prompt"],
            **_speakers(asked["speakers"]),
        )


def _problem_of(url: str) -> str:
    """Why nothing is fetched from there, as far as that can be told by looking at it; empty when it may be."""
    if len(url) > LONGEST_ADDRESS:
        return gettext("This address is too long.")
    try:
        Guard(settings.TOOLS.outbound_allow).check_url(url)
    except JobError as refused:
        return in_words_of_the_reader(refused.message)
    return ""


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
