"""/whisper/manage: how the queue is doing, for those with whisper.manage. The script asks for the same page and takes its parts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View

from accounts.models import User
from whisper_jobs import overview, queries, recovery
from whisper_jobs.errors import FAILURES
from whisper_jobs.states import Lane, Status
from whisper_jobs.web import texts

#: What a lane does, in words.
LANES = {
    Lane.FETCH: gettext_lazy("Download and decode"),
    Lane.SPEECH: gettext_lazy("Transcribe"),
    Lane.ENRICH: gettext_lazy("Analyse and translate"),
    Lane.DELIVER: gettext_lazy("Assemble and call back"),
}
RUN_AT_ONCE = 10


class RunNowForm(forms.Form):
    limit = forms.IntegerField(min_value=1, max_value=1000, initial=RUN_AT_ONCE)
    reset_failed = forms.BooleanField(required=False)


class ManagersPage(LoginRequiredMixin, PermissionRequiredMixin, View):
    """Anonymous visitors sign in first; everybody else without the permissions gets the page that says so."""

    permission_required = ("whisper.use", "whisper.manage")

    def handle_no_permission(self) -> Any:
        self.raise_exception = self.request.user.is_authenticated
        return super().handle_no_permission()


class DashboardView(ManagersPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return _page(request, RunNowForm())


class RunNowView(ManagersPage):
    def post(self, request: HttpRequest) -> HttpResponse:
        form = RunNowForm(request.POST)
        if not form.is_valid():
            return _page(request, form, status=422)
        done = recovery.run_now(queries.visible_jobs(_user(request)), **form.cleaned_data)
        messages.success(request, _what_was_done(done))
        return redirect("web:manage")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _page(request: HttpRequest, form: RunNowForm, status: int = 200) -> HttpResponse:
    shown = {"form": form, "texts": texts.for_scripts(), **_board(_user(request))}
    return render(request, "whisper/dashboard.html", shown, status=status)


def _board(user: User) -> dict[str, Any]:
    days = overview.days(user)
    return {
        "lanes": [{"label": LANES[row.lane], "row": row} for row in overview.lanes(user)],
        "workers": [{"label": LANES[Lane(row.lane)], "row": row} for row in overview.workers(user)],
        "failures": [_failure(row) for row in overview.failures(user)],
        "days": days,
        "most_hours": max(row.hours for row in days),
        "stuck": overview.stuck(user),
        "callbacks": overview.callbacks(user),
        "summary": queries.summary(user),
        "scope": "" if user.is_superuser else user.tenant.name,
        "now": timezone.now(),
    }


def _failure(row: overview.FailureRow) -> dict[str, Any]:
    asked = {"status": Status.FAILED.value, "q": row.code}
    return {
        "row": row,
        "sentence": FAILURES.get(row.code, ""),
        "href": f"{reverse('web:queue')}?{urlencode(asked)}",
    }


def _what_was_done(done: dict[str, int]) -> str:
    reset = ngettext("%(n)d job was restarted.", "%(n)d jobs were restarted.", done["reset"]) % {"n": done["reset"]}
    waiting = ngettext("%(n)d is queued.", "%(n)d are queued.", done["queued"]) % {"n": done["queued"]}
    return f"{reset} {waiting} " + _("Idle workers were woken.")
