"""The API's throttle: who counts as one caller, and what each has a minute."""

from __future__ import annotations

import time

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import PersonalToken
from accounts.origin import network_of
from whisper_jobs.budget import spend


class PerMinute(BaseThrottle):
    """Leaves the Budget on the request, for the headers of the answer."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.budget = spend(f"api:{caller_of(request)}", settings.TOOLS.api_per_minute, now=time.time())
        request.budget = self.budget  # type: ignore[attr-defined]
        return not self.budget.wait_seconds

    def wait(self) -> float:
        return self.budget.wait_seconds


def caller_of(request: Request) -> str:
    """A person's programs with tokens, the same person's pages and JWTs, and strangers by where they come from."""
    if isinstance(request.auth, PersonalToken):
        return f"token-owner:{request.auth.user_id}"
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"address:{network_of(request._request)}"
