"""The form of a profile, with a sentence for everything that can't be kept."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from whisper_jobs import profiles
from whisper_jobs.errors import JobError
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Captions, Profile
from whisper_jobs.outbound import Guard
from whisper_jobs.told import in_words_of_the_reader
from whisper_jobs.web import choices

LONGEST_ADDRESS = 4000
MOST_REQUIRED, LONGEST_NAME = 50, 100
MOST_SPEAKERS = 50
#: Of captions, as downloads take them.
LINE, LINES = (10, 80), (1, 3)


class NamesField(forms.CharField):
    """A text with a name on each line, or commas between them ⇄ a list of names, each once."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        told = (" ".join(plain_text(name).split()) for name in re.split(r"[,\n]", str(value or "")))
        return list(dict.fromkeys(filter(None, told)))

    def run_validators(self, value: Any) -> None:
        if len(value) > MOST_REQUIRED or any(len(name) > LONGEST_NAME for name in value):
            told = _("Name at most %(most)d, none of them longer than %(letters)d letters.")
            raise forms.ValidationError(told % {"most": MOST_REQUIRED, "letters": LONGEST_NAME})


def _count(label: Any, least: int, most: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most, help_text=help_text)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker alone
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        help_text=gettext_lazy("Of jobs that name none."),
    )
    model = forms.ChoiceField(label=gettext_lazy("Model"), required=False)
    min_speakers = _count(gettext_lazy("Fewest speakers"), 1, MOST_SPEAKERS)
    max_speakers = _count(gettext_lazy("Most speakers"), 1, MOST_SPEAKERS)
    max_line = _count(
        gettext_lazy("Characters of a line"), *LINE, gettext_lazy("Left out, 42 for the web and 37 for broadcast.")
    )
    max_lines = _count(gettext_lazy("Lines of a caption"), *LINES)
    callback_url = forms.CharField(
        label=gettext_lazy("Address to call back"),
        required=False,
        max_length=LONGEST_ADDRESS,
        widget=forms.URLInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Told of the end of jobs that name no address of their own."),
    )
    required_metadata = NamesField(
        label=gettext_lazy("Metadata that a job must have"),
        required=False,
        widget=forms.Textarea({"rows": 3, "dir": "auto", "autocapitalize": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("One name a line. Without them a job of this profile can't be started."),
    )

    class Meta:
        model = Profile
        fields = (
            *("name", "human_editing", "speaker_names", "min_speakers", "max_speakers", "model", "language"),
            *("use_glossary", "captions", "max_line", "max_lines", "callback_url", "required_metadata"),
        )
        labels = {
            "name": gettext_lazy("Name"),
            "human_editing": gettext_lazy("A person edits and approves the transcript"),
            "speaker_names": gettext_lazy("Tell speakers apart and name them"),
            "use_glossary": gettext_lazy("Expect the words of your glossary"),
            "captions": gettext_lazy("Captions"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = {"language": choices.languages(), "model": [("", _("The server's own")), *choices.models()]}
        for name, values in offered.items():
            self.fields[name].choices = _with(values, getattr(self.instance, name))  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name = " ".join(plain_text(self.cleaned_data["name"]).split())
        if not name:
            raise forms.ValidationError(_("Give it a name."))
        if profiles.is_built_in(name):
            raise forms.ValidationError(_("There is a built-in profile of this name. Choose another."))
        return name

    def clean_callback_url(self) -> str:
        url: str = self.cleaned_data["callback_url"]
        try:
            if url:
                Guard(settings.TOOLS.outbound_allow).check_url(url)
        except JobError as refused:
            raise forms.ValidationError(in_words_of_the_reader(refused.message)) from refused
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        least, most = cleaned.get("min_speakers"), cleaned.get("max_speakers")
        if least and most and least > most:
            self.add_error("max_speakers", _("This is fewer than the least number of speakers."))
        for name in ("max_line", "max_lines"):
            if cleaned.get("captions") == Captions.PLAIN and cleaned.get(name):
                self.add_error(name, _("Segments as they are have no limits. Choose other captions, or leave it out."))
        return cleaned

    def keep(self) -> bool:
        """Saves it; False, with an error at its name, when there is one of that name."""
        try:
            with transaction.atomic():
                self.instance.save()
        except IntegrityError:
            self.add_error("name", _("You have a profile of this name."))
            return False
        return True


def _with(offered: list[Any], chosen: str) -> list[Any]:
    """What was chosen once stays to be chosen, also when this server does not offer it any more."""
    names = {name for value, label in offered for name in (dict(label) if isinstance(label, list) else [value])}
    return offered if not chosen or chosen in names else [*offered, (chosen, chosen)]
