"""The forms about enrolled speakers, and what their script shows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import speakers
from whisper_jobs.models import EnrollmentStatus, Scope, Speaker
from whisper_jobs.speakers import Enrollment
from whisper_jobs.web import choices, texts

#: Five minutes of uncompressed stereo are as much.
MOST_BYTES = 64 << 20
#: Statuses that somebody can be found in: who is erased is seen no more.
STATUSES = [one for one in EnrollmentStatus if one is not EnrollmentStatus.EVICTED]
_FROM_TEXTS = (
    "mic_denied",
    "mic_missing",
    "mic_busy",
    "mic_failed",
    "mic_insecure",
    "mic_unsupported",
    "record_running",
    "unreachable",
    "server_error",
)


def consent_text() -> str:
    """What a speaker agrees to; {name} and {purpose} are filled by the script, or by whoever reads it."""
    return _(
        "My name is {name}. I agree that this server keeps a recording of my voice, and a profile made of it, so that I am "
        "recognised when I speak in recordings. This is done for: {purpose}. I can have all of it erased at any time."
    )


class EnrollForm(forms.Form):
    display_name = forms.CharField(
        label=gettext_lazy("Name in transcripts"), max_length=100, widget=forms.TextInput({"dir": "auto"})
    )
    language_primary = forms.ChoiceField(label=gettext_lazy("Language that they speak"))
    scope = forms.ChoiceField(
        label=gettext_lazy("In whose recordings they are recognised"), choices=Scope.choices, initial=Scope.USER
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2, "dir": "auto"}),
    )
    consent_user_full_name = forms.CharField(
        label=gettext_lazy("Full legal name of the speaker"),
        max_length=200,
        widget=forms.TextInput({"dir": "auto", "autocomplete": "off"}),
    )
    consent_stated_purpose = forms.CharField(
        label=gettext_lazy("What the voice is kept for"),
        max_length=2000,
        widget=forms.Textarea({"rows": 2, "dir": "auto"}),
    )
    consent_text = forms.CharField(
        label=gettext_lazy("The speaker reads this aloud, word by word"),
        max_length=10_000,
        initial=consent_text,
        widget=forms.Textarea({"rows": 8, "dir": "auto"}),
    )
    consent = forms.FileField(
        label=gettext_lazy("Recording of the consent"), widget=forms.FileInput({"accept": "audio/*,video/*"})
    )
    reference = forms.FileField(
        label=gettext_lazy("Recording of the voice"), widget=forms.FileInput({"accept": "audio/*,video/*"})
    )

    def __init__(self, user: User, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self._choices("language_primary", choices.target_languages())
        self.fields["language_primary"].initial = get_language()
        self._choices("scope", [one for one in Scope.choices if speakers.may_enroll_for(user, one[0])])

    def _choices(self, name: str, offered: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = offered  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """What stands for the name and the purpose is filled in, where no script has done so."""
        told = super().clean() or {}
        if not self.errors:
            text = told["consent_text"].replace("{name}", told["consent_user_full_name"])
            told["consent_text"] = text.replace("{purpose}", told["consent_stated_purpose"].rstrip(". "))
        return told

    def clean_consent(self) -> UploadedFile[Any]:
        return _not_too_large(self.cleaned_data["consent"])

    def clean_reference(self) -> UploadedFile[Any]:
        return _not_too_large(self.cleaned_data["reference"])

    @property
    def enrollment(self) -> Enrollment:
        names = Enrollment.__dataclass_fields__
        return Enrollment(**{name: value for name, value in self.cleaned_data.items() if name in names})


def _not_too_large(file: UploadedFile[Any]) -> UploadedFile[Any]:
    if (file.size or 0) > MOST_BYTES:
        raise forms.ValidationError(_("This file is too large. A minute of speech is enough."))
    return file


class DescribeForm(forms.Form):
    display_name = forms.CharField(
        label=gettext_lazy("Name in transcripts"), max_length=100, widget=forms.TextInput({"dir": "auto"})
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3, "dir": "auto"}),
    )


class EraseForm(forms.Form):
    sure = forms.BooleanField(
        label=gettext_lazy("I know that this can't be undone."),
        error_messages={"required": gettext_lazy("Tick this first.")},
    )


class FilterForm(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search", "dir": "auto"}),
    )
    scope = forms.ChoiceField(label=gettext_lazy("Recognised for"), required=False)
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        anything = ("", gettext_lazy("All"))
        self.fields["scope"].choices = [anything, *Scope.choices]  # type: ignore[attr-defined]
        statuses = [(one.value, one.label) for one in STATUSES]
        self.fields["status"].choices = [anything, *statuses]  # type: ignore[attr-defined]

    def narrow(self, found: QuerySet[Speaker]) -> QuerySet[Speaker]:
        """A filter that makes no sense is none."""
        self.is_valid()
        asked = self.cleaned_data
        wanted = {
            "display_name__icontains": asked.get("q"),
            "scope": asked.get("scope"),
            "enrollment_status": asked.get("status"),
        }
        return found.filter(**{name: value for name, value in wanted.items() if value})


def own() -> dict[str, str]:
    """What the script of the enrolling page shows besides the texts of the recorder."""
    return {
        "enrol_finish": _("Finish the recording"),
        "enrol_again": _("Record it again"),
        "enrol_waiting": _("The recordings are being heard. This takes some seconds…"),
    }


def for_script() -> dict[str, str]:
    known = texts.for_scripts()
    return {**own(), **{name: known[name] for name in _FROM_TEXTS}}
