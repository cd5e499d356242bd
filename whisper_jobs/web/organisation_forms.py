"""Forms of the organisation's pages: its policy, and what its lists are narrowed to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from whisper_jobs import policy
from whisper_jobs.models import BackendPreference, TenantPolicy
from whisper_jobs.organisation import Wanted
from whisper_jobs.states import Status
from whisper_jobs.web import choices

TIERS = {
    "trial": gettext_lazy("Trial"),
    "standard": gettext_lazy("Standard"),
    "regulated": gettext_lazy("Regulated"),
}
#: What the log tells, in words.
ACTIONS = {
    "policy.changed": gettext_lazy("Policy changed"),
    "transcript.read": gettext_lazy("Transcript read"),
    "media.expired": gettext_lazy("Sound deleted"),
    "speaker.enrolled": gettext_lazy("Speaker enrolled"),
    "speaker.changed": gettext_lazy("Speaker changed"),
    "speaker.erased": gettext_lazy("Speaker erased"),
    "speaker.warmed": gettext_lazy("Speaker sent to the workers"),
}
_HERE, _THERE = BackendPreference.A.label, BackendPreference.B.label


def _number(label: Any, help_text: Any, most: int) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=most, label=label, help_text=help_text)


class PolicyForm(forms.Form):
    allowed_backends = forms.ChoiceField(
        label=gettext_lazy("Who may transcribe"),
        choices=[("A", _HERE), ("B", _THERE), ("AB", gettext_lazy("Both"))],
        help_text=gettext_lazy("The relay is another server that recordings are sent to."),
    )
    default_backend = forms.ChoiceField(label=gettext_lazy("Who does it first"), choices=[("A", _HERE), ("B", _THERE)])
    monthly_minutes = _number(
        gettext_lazy("Minutes a month"),
        gettext_lazy("Of sound, for all users together. Empty for as many as they like."),
        policy.MOST["monthly_minutes"],
    )
    retention_days = _number(
        gettext_lazy("Days that sound is kept"),
        gettext_lazy(
            "The sound of a recording is deleted so long after its work has ended; the words stay. Empty for never."
        ),
        policy.MOST["retention_days"],
    )
    tier = forms.ChoiceField(
        label=gettext_lazy("Tier"),
        choices=list(TIERS.items()),
        help_text=gettext_lazy("A new tier sets everything above to its own values, but for what you change with it."),
    )

    def __init__(self, data: Mapping[str, Any] | None, row: TenantPolicy, *, sets_tier: bool) -> None:
        told = {name: getattr(row, name) for name in policy.FIELDS}
        # Published with two spellings that mean the same.
        told["allowed_backends"] = told["allowed_backends"].replace("BA", "AB")
        super().__init__(data, initial=told)
        if not sets_tier:
            del self.fields["tier"]
        if data and "confirmed" in data:
            self._add_confirmation()

    @property
    def changes(self) -> dict[str, Any]:
        """Only what was changed: of two who save at once, neither undoes what the other did."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in policy.FIELDS}

    @property
    def is_confirmed(self) -> bool:
        return bool(self.cleaned_data.get("confirmed"))

    def ask_for_confirmation(self, lost: int) -> None:
        told = ngettext(
            "The sound of %(count)d recording is older than that and would be deleted within the hour, for good.",
            "The sound of %(count)d recordings is older than that and would be deleted within the hour, for good.",
            lost,
        )
        self._add_confirmation()
        self.add_error("retention_days", told % {"count": lost})

    def _add_confirmation(self) -> None:
        self.fields["confirmed"] = forms.BooleanField(required=False, label=_("Yes, delete that sound"))


def _select() -> forms.Select:
    return forms.Select({"class": "input"})


def _text(label: Any) -> forms.CharField:
    return forms.CharField(
        required=False, max_length=200, label=label, widget=forms.TextInput({"class": "input", "autocomplete": "off"})
    )


def _day(label: Any) -> forms.DateField:
    """Years that a clock of every time zone knows the day before and after of."""
    return forms.DateField(
        required=False,
        label=label,
        validators=[MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))],
        widget=forms.DateInput({"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )


class WantedForm(forms.Form):
    """Lenient, since people keep and change addresses by hand: what is not understood does not narrow anything."""

    text = _text(gettext_lazy("Title"))
    person = _text(gettext_lazy("E-mail address"))
    status = forms.ChoiceField(required=False, label=gettext_lazy("Status"), widget=_select())
    backend = forms.ChoiceField(required=False, label=gettext_lazy("Transcribed by"), widget=_select())
    language = forms.ChoiceField(required=False, label=gettext_lazy("Language"), widget=_select())
    action = forms.ChoiceField(required=False, label=gettext_lazy("What was done"), widget=_select())
    since, until = _day(gettext_lazy("From")), _day(gettext_lazy("Until"))
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput())

    def __init__(self, asked: Mapping[str, Any], names: Collection[str]) -> None:
        # PostgreSQL has no text with a NUL in it.
        super().__init__({name: str(value).replace("\0", "") for name, value in asked.items()}, auto_id="find_%s")
        for name in set(self.fields) - {*names, "before"}:
            del self.fields[name]
        for name, offered in _offered().items():
            if name in self.fields:
                self.fields[name].choices = [("", _("Any")), *offered]  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        return Wanted(**self.asked())

    def asked(self) -> dict[str, Any]:
        """What of the address was understood, for it and for the next page's."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


def _offered() -> dict[str, list[tuple[str, Any]]]:
    statuses = [
        ("active", _("At work")),
        (Status.COMPLETED.value, Status.COMPLETED.label),
        (Status.FAILED.value, Status.FAILED.label),
    ]
    return {
        "status": statuses,
        "backend": [("A", _HERE), ("B", _THERE)],
        "language": list(choices.target_languages()),
        "action": list(ACTIONS.items()),
    }
