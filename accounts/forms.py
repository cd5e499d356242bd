"""What people change about themselves and their tokens. Passwords, addresses and codes are the sign-in library's forms."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard
from whisper_jobs.told import in_words_of_the_reader

NEVER = "never"


def _box(**attributes: str | bool) -> dict[str, str | bool]:
    return {"class": "input", **attributes}


class ProfileForm(forms.Form):
    """The language is blank to follow the browser."""

    name = forms.CharField(
        label=_("Name"), max_length=100, required=False, widget=forms.TextInput(attrs=_box(autocomplete="name"))
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=lambda: [("", _("Follow the browser")), *settings.LANGUAGES],
        widget=forms.Select(attrs=_box()),
    )


class TokenForm(forms.Form):
    LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("One year")), (NEVER, _("Never"))]

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What you will know it by, such as the program that uses it."),
        widget=forms.TextInput(attrs=_box(autocomplete="off")),
    )
    lifetime = forms.ChoiceField(
        label=_("Expires after"), choices=LIFETIMES, initial="90", widget=forms.Select(attrs=_box())
    )
    thin_callbacks = forms.BooleanField(
        label=_("Callbacks leave the transcript out"),
        required=False,
        help_text=_("They then only tell where to read it."),
    )
    is_sandbox = forms.BooleanField(
        label=_("For the sandbox"),
        required=False,
        help_text=_(
            "For trying out a program: nothing that is handed in with it is transcribed, and nothing is counted. "
            "Transcripts are made up, and recordings are deleted after 7 days."
        ),
    )

    def expires_at(self) -> datetime | None:
        chosen = self.cleaned_data["lifetime"]
        return None if chosen == NEVER else timezone.now() + timedelta(days=int(chosen))


class AddSecurityKeyForm(AddWebAuthnForm):  # type: ignore[misc]  # the library has no types
    """The library's own, whose name has a label in one language only."""

    name = forms.CharField(label=_("Name"), required=False)


class RenameSecurityKeyForm(EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label=_("Name"), required=True)


class KeyForm(forms.Form):
    """A key that another provider has given to this person."""

    key = forms.CharField(
        label=_("OpenAI key"),
        min_length=8,
        max_length=300,
        widget=forms.PasswordInput(attrs=_box(autocomplete="off")),
    )

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if not key.isascii() or not key.isprintable() or " " in key:
            raise forms.ValidationError(_("A key has no spaces and no special characters."))
        return key


class TestEventForm(forms.Form):
    url = forms.URLField(
        label=_("Address to call"),
        max_length=2000,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_box(autocomplete="url")),
    )

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            Guard(settings.TOOLS.outbound_allow).check_url(url)
        except JobError as refused:
            raise forms.ValidationError(in_words_of_the_reader(refused.message)) from refused
        return url
