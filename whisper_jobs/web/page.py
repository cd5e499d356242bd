"""What every page of the queue shares: who may open it, and which jobs it can find."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from django.views import View

from accounts.models import User
from whisper_jobs import queries
from whisper_jobs.models import Job
from whisper_jobs.pen import Gone


class Page(LoginRequiredMixin, PermissionRequiredMixin, View):
    """Anonymous visitors sign in first; users without whisper.use get the page that says so."""

    permission_required = "whisper.use"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A job that is deleted while the page works on it is not found, as one that was before.

        What people have said stays out of every cache, the browser's too: who comes next to a shared machine is somebody else.
        """
        try:
            answer = super().dispatch(request, *args, **kwargs)
        except Gone as gone:
            raise Http404 from gone
        patch_cache_control(answer, private=True, no_store=True)
        return answer

    def handle_no_permission(self) -> Any:
        self.raise_exception = self.request.user.is_authenticated
        return super().handle_no_permission()

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def job(self, job_id: int) -> Job:
        return get_object_or_404(queries.visible_jobs(self.user), pk=job_id)
