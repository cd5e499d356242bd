"""What the address of the library asks for, as a form and back: lenient, since people keep and change addresses by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import library, queries
from whisper_jobs.library import MOST_PAGES, MOST_SPEAKERS, Wanted
from whisper_jobs.models import Channel, Tag
from whisper_jobs.states import Stage, Status
from whisper_jobs.web import choices

#: In the address → in Wanted, where the names differ.
_NAMES = {"q": "text"}
TRASH = "trash"


def _select() -> forms.Select:
    return forms.Select({"class": "input"})


def _day() -> forms.DateField:
    """Years that a clock of every time zone knows the day before and after of."""
    return forms.DateField(
        required=False,
        validators=[MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))],
        widget=forms.DateInput({"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )


class WantedForm(forms.Form):
    q = forms.CharField(required=False, max_length=200)
    status = forms.ChoiceField(required=False, widget=_select())
    tag = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, widget=_select())
    language = forms.ChoiceField(required=False, widget=_select())
    speakers = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, widget=_select())
    since, until = _day(), _day()
    channel = forms.ChoiceField(required=False, widget=_select())
    owner = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput({"class": "input", "autocomplete": "off"})
    )
    sort = forms.ChoiceField(required=False, widget=_select())
    page = forms.IntegerField(required=False, min_value=1, max_value=MOST_PAGES)
    view = forms.ChoiceField(required=False, choices=[(TRASH, "")])

    def __init__(self, asked: QueryDict, user: User, tags: list[Tag]) -> None:
        # PostgreSQL has no text with a NUL in it.
        super().__init__({name: str(value).replace("\0", "") for name, value in asked.items()}, auto_id="find_%s")
        if not queries.can_manage_all(user):
            del self.fields["owner"]
        for name, offered in _offered(tags).items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What is not understood does not narrow anything."""
        self.is_valid()
        told = {_NAMES.get(name, name): value for name, value in self.cleaned_data.items() if value}
        in_trash = told.pop("view", "") == TRASH
        return replace(Wanted(in_trash=in_trash), **told)


def _offered(tags: list[Tag]) -> dict[str, list[tuple[str, str]]]:
    any_ = ("", _("Any"))
    counts = [(str(count), str(count)) for count in range(1, MOST_SPEAKERS)]
    return {
        "status": [
            any_,
            ("active", _("At work")),
            (Stage.REVIEWING.value, _("Waiting for approval")),
            (Status.COMPLETED.value, _("Completed")),
            (Status.FAILED.value, _("Failed")),
        ],
        "tag": [any_, *((str(tag.pk), tag.name) for tag in tags)],
        "language": [any_, *choices.target_languages()],
        "speakers": [any_, *counts, (str(MOST_SPEAKERS), _("%(count)d or more") % {"count": MOST_SPEAKERS})],
        "channel": [any_, *((code, str(label)) for code, label in Channel.choices)],
        "sort": [
            ("", _("Newest first")),
            ("oldest", _("Oldest first")),
            ("title", _("By title")),
            ("longest", _("Longest first")),
        ],
    }


def address_of(wanted: Wanted, **changed: Any) -> str:
    """The query string that asks for this, without what is as it is anyhow."""
    told = replace(wanted, **changed)
    names = {field: name for name, field in _NAMES.items()}
    asked: dict[str, str] = {"view": TRASH} if told.in_trash else {}
    for one in fields(Wanted):
        value = getattr(told, one.name)
        if one.name != "in_trash" and value != one.default:
            asked[names.get(one.name, one.name)] = str(value)
    return urlencode(asked)


def filters_in(wanted: Wanted) -> int:
    """How many of the filters are set; neither words nor the order are filters."""
    plain = library.Wanted(text=wanted.text, sort=wanted.sort, page=wanted.page, in_trash=wanted.in_trash)
    return sum(getattr(wanted, one.name) != getattr(plain, one.name) for one in fields(Wanted))


def kept(told: Mapping[str, str]) -> str:
    """A query string that a form brought back; only ours, so that it leads nowhere else."""
    return urlencode({name: str(value) for name, value in QueryDict(told.get("next", "")[:1000]).items()})[:1000]
