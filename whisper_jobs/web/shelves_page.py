"""/whisper/library/shelves: a person's tags and saved searches, to be made, renamed and deleted."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from whisper_jobs import tagging
from whisper_jobs.models import SavedView, Tag
from whisper_jobs.web.page import Page


class TagForm(forms.Form):
    name = forms.CharField(max_length=tagging.LONGEST_NAME, required=False, strip=True)
    colour = forms.IntegerField(min_value=0, max_value=tagging.COLOURS - 1, required=False)
    action = forms.ChoiceField(choices=[("keep", ""), ("delete", "")], required=False)

    def told(self) -> tuple[str, int | None]:
        """Name and colour; what is not understood is as if it were not there."""
        self.is_valid()
        return self.cleaned_data.get("name", ""), self.cleaned_data.get("colour")

    @property
    def deletes(self) -> bool:
        self.is_valid()
        return self.cleaned_data.get("action") == "delete"


class ShelvesView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        told = {
            "tags": Tag.objects.filter(owner=self.user).annotate(count=Count("jobs")).order_by("name"),
            "views": SavedView.objects.filter(owner=self.user).order_by("name"),
            "colours": range(tagging.COLOURS),
        }
        return render(request, "whisper/shelves.html", told)

    def post(self, request: HttpRequest) -> HttpResponse:
        """A new tag."""
        name, colour = TagForm(request.POST).told()
        try:
            tagging.make(self.user, name, colour)
        except tagging.Refused as refused:
            messages.error(request, str(refused))
        return redirect("web:shelves")


class TagView(Page):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        tag, form = get_object_or_404(Tag, owner=self.user, pk=pk), TagForm(request.POST)
        if form.deletes:
            tagging.remove(tag)
            messages.success(request, _("The tag is deleted. Its recordings stay."))
            return redirect("web:shelves")
        name, colour = form.told()
        try:
            tagging.change(tag, name=name, colour=colour)
        except tagging.Refused as refused:
            messages.error(request, str(refused))
        return redirect("web:shelves")


class SavedViewView(Page):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        view, form = get_object_or_404(SavedView, owner=self.user, pk=pk), TagForm(request.POST)
        if form.deletes:
            view.delete()
            messages.success(request, _("The saved search is deleted."))
            return redirect("web:shelves")
        problem = _rename(view, form.told()[0])
        if problem:
            messages.error(request, problem)
        return redirect("web:shelves")


def _rename(view: SavedView, name: str) -> str:
    """Why it could not be, or nothing."""
    try:
        name = tagging.clean(name)
    except tagging.Refused:
        return _("Give the search a name of at most %(most)d characters.") % {"most": tagging.LONGEST_NAME}
    if SavedView.objects.filter(owner=view.owner_id, name=name).exclude(pk=view.pk).exists():
        return _("You have a saved search of this name.")
    SavedView.objects.filter(pk=view.pk).update(name=name)
    return ""
