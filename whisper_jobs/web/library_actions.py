"""What the library does with the recordings that were chosen. Each answer leads back to the list, with what was done."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whisper_jobs import bulk, lifecycle, queries, tagging, trash
from whisper_jobs.models import SavedView, Tag
from whisper_jobs.web.library_forms import kept
from whisper_jobs.web.library_page import MOST_UNDONE
from whisper_jobs.web.page import Page

#: Saved searches of one person.
MOST_VIEWS = 50


class ActView(Page):
    """`action` says what is done with `jobs`; those that the user may not see are left out."""

    def post(self, request: HttpRequest) -> HttpResponse:
        act = _ACTIONS.get(request.POST.get("action", ""))
        if act is None:
            messages.error(request, _("Choose what to do."))
            return self.back()
        return act(self)

    def back(self, **added: str) -> HttpResponse:
        query = "&".join(filter(None, (kept(self.request.POST), urlencode(added))))
        if self.request.POST.get("to") == "queue":
            return redirect("web:queue")
        return redirect(reverse("web:library") + (f"?{query}" if query else ""))

    def chosen(self, *, in_trash: bool = False) -> list[int]:
        told = self.request.POST.getlist("jobs")[:MOST_UNDONE]
        wanted = [int(one) for one in told if one.isascii() and one.isdecimal() and len(one) < 19]
        jobs = (queries.trashed_jobs if in_trash else queries.visible_jobs)(self.user)
        found = list(jobs.filter(pk__in=wanted).values_list("pk", flat=True))
        if not found:
            messages.error(self.request, _("Choose recordings first."))
        return found

    def tell(self, outcome: bulk.Outcome, sentence: str = "") -> None:
        if sentence and outcome.done:
            messages.success(self.request, sentence)
        for refusal, count in outcome.refused.items():
            told = ngettext("%(count)d recording: %(why)s", "%(count)d recordings: %(why)s", count)
            messages.error(self.request, told % {"count": count, "why": refusal})


def _discard(view: ActView) -> HttpResponse:
    outcome = bulk.each(view.chosen(), trash.discard)
    view.tell(outcome)
    return view.back(**({"undo": ",".join(map(str, outcome.done))} if outcome.done else {}))


def _restore(view: ActView) -> HttpResponse:
    outcome = bulk.each(view.chosen(in_trash=True), trash.restore)
    count = len(outcome.done)
    told = ngettext("%(count)d recording is back.", "%(count)d recordings are back.", count)
    view.tell(outcome, told % {"count": count})
    return view.back()


def _delete(view: ActView) -> HttpResponse:
    outcome = bulk.each(view.chosen(in_trash=True), trash.delete)
    count = len(outcome.done)
    told = ngettext("%(count)d recording is deleted.", "%(count)d recordings are deleted.", count)
    view.tell(outcome, told % {"count": count})
    return view.back()


def _empty(view: ActView) -> HttpResponse:
    """As many as one request can delete; the rest by the next one."""
    mine = queries.trashed_jobs(view.user).filter(owner=view.user)
    outcome = bulk.each(list(mine.values_list("pk", flat=True)[: trash.MOST_REAPED]), trash.delete)
    view.tell(outcome, _("The trash is emptied.") if not mine.exists() else _("A part of the trash is emptied. Go on."))
    return view.back()


def _restart(view: ActView) -> HttpResponse:
    outcome = bulk.each(view.chosen(), lifecycle.restart)
    count = len(outcome.done)
    told = ngettext("%(count)d recording is queued again.", "%(count)d recordings are queued again.", count)
    view.tell(outcome, told % {"count": count})
    return view.back()


def _tag(view: ActView) -> HttpResponse:
    jobs, names = view.chosen(), [view.request.POST.get("tag_name", "")]
    try:
        tags = tagging.called(view.user, names) if jobs else []
        tagging.put_on(view.user, tags, jobs)
    except tagging.Refused as refused:
        messages.error(view.request, str(refused))
    return view.back()


def _untag(view: ActView) -> HttpResponse:
    named = view.request.POST.get("tag_name", "").strip()[: tagging.LONGEST_NAME].replace("\0", "")
    tags = list(Tag.objects.filter(owner=view.user, name__iexact=named))
    if not tags:
        messages.error(view.request, _("You have no tag of this name."))
    else:
        tagging.take_off(view.user, tags, view.chosen())
    return view.back()


_ACTIONS: dict[str, Callable[[ActView], HttpResponse]] = {
    "trash": _discard,
    "restore": _restore,
    "delete": _delete,
    "empty": _empty,
    "restart": _restart,
    "tag": _tag,
    "untag": _untag,
}


class KeepView(Page):
    """Keeps the search that the page shows, under a name; another one of that name gives way."""

    def post(self, request: HttpRequest) -> HttpResponse:
        query = kept(request.POST)
        try:
            name = tagging.clean(request.POST.get("name", ""))
        except tagging.Refused:
            messages.error(
                request, _("Give the search a name of at most %(most)d characters.") % {"most": tagging.LONGEST_NAME}
            )
            return _library(query)
        views = SavedView.objects.filter(owner=self.user)
        if views.count() >= MOST_VIEWS and not views.filter(name=name).exists():
            messages.error(request, _("You have as many saved searches as this server keeps. Delete one first."))
        else:
            SavedView.objects.update_or_create(owner=self.user, name=name, defaults={"query": query})
            messages.success(request, _("The search “%(name)s” is saved.") % {"name": name})
        return _library(query)


def _library(query: str) -> HttpResponse:
    return redirect(reverse("web:library") + (f"?{query}" if query else ""))
