"""The notes of a job's page, and the forms that change them where no script does."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from whisper_jobs import note_rows, notes, payloads
from whisper_jobs.models import Job
from whisper_jobs.note_rows import COLOURS
from whisper_jobs.runs import NotAllowed
from whisper_jobs.web.page import Page

_NAMES = (
    gettext_lazy("Yellow"),
    gettext_lazy("Green"),
    gettext_lazy("Blue"),
    gettext_lazy("Pink"),
    gettext_lazy("Purple"),
)
_Form = TypeVar("_Form", bound="NoteForm")
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,7})(?:[.,]\d+)?")


def colours() -> dict[str, str]:
    """The palette: code → name."""
    return {code: str(name) for code, name in zip(COLOURS, _NAMES, strict=True)}


class ClockField(forms.CharField):
    """A place in a recording as people write it, “1:02:03”, “2:05” or “83”; in seconds."""

    def clean(self, value: Any) -> float:
        found = _CLOCK.fullmatch(super().clean(value))
        if found is None:
            raise forms.ValidationError(_("Write the time as minutes and seconds, such as 2:05."))
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return float(3600 * hours + 60 * minutes + seconds)


class NoteForm(forms.Form):
    text = forms.CharField(
        required=False,
        max_length=notes.LONGEST_TEXT,
        label=gettext_lazy("Note"),
        widget=forms.Textarea({"class": "input", "rows": 3}),
    )
    colour = forms.ChoiceField(label=gettext_lazy("Colour"), widget=forms.Select({"class": "input"}))

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="note_%s", initial=initial)
        self.fields["colour"].choices = list(colours().items())  # type: ignore[attr-defined]

    @property
    def told(self) -> dict[str, Any]:
        return {"text": self.cleaned_data["text"], "colour": COLOURS.index(self.cleaned_data["colour"])}


class NewNoteForm(NoteForm):
    at = ClockField(
        label=gettext_lazy("Time"),
        max_length=20,
        widget=forms.TextInput({"class": "input", "placeholder": "2:05", "autocomplete": "off"}),
    )
    field_order = ("at", "text", "colour")


def context(job: Job, asked: str) -> dict[str, Any]:
    """For the template. `asked` is the id of a note that is to be changed by a form, as the address tells it."""
    told = [_told(note_rows.payload(note)) for note in note_rows.notes_of(job.pk)]
    edited = next((one for one in told if str(one["id"]) == asked), None)
    return {
        "notes": told,
        "notes_url": reverse("web:notes", args=[job.pk]),
        "notes_api_url": reverse("native:notes", args=[job.pk]),
        "note_colours": colours(),
        "note_edited": edited,
        "note_form": NoteForm(initial=edited) if edited else NewNoteForm(),
        "most_note": notes.LONGEST_TEXT,
    }


def start(user: User) -> dict[str, Any]:
    """For the page's script."""
    return {"note_colours": list(COLOURS), "user_id": user.pk}


def _told(note: dict[str, Any]) -> dict[str, Any]:
    return {**note, "clock": payloads.duration_human(int(note["start"])), "colour_name": colours()[note["colour"]]}


class NotesView(Page):
    """What a form of the job's page does; back there then."""

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        try:
            _act(job, self.user, request)
        except (NotAllowed, notes.NoSuchNote) as error:
            messages.error(request, str(error) if isinstance(error, NotAllowed) else _("There is no such note."))
        return redirect(f"{reverse('web:job', args=[job.pk])}#notes")


def _act(job: Job, user: User, request: HttpRequest) -> None:
    """Does what the button says. Raises NotAllowed, NoSuchNote."""
    told, number = request.POST, request.POST.get("note", "")
    note_id = int(number) if number.isdecimal() and len(number) < 19 else 0
    match told.get("act"):
        case "add":
            form = _checked(NewNoteForm(told))
            notes.add(job.pk, by=user, start=form.cleaned_data["at"], **form.told)
        case "change":
            notes.change(job.pk, note_id, **_checked(NoteForm(told)).told)
        case "delete":
            notes.remove(job.pk, note_id)
        case _:
            raise NotAllowed(_("Choose from what is offered."))


def _checked(form: _Form) -> _Form:
    if not form.is_valid():
        raise NotAllowed(str(next(iter(form.errors.values()))[0]))
    return form
