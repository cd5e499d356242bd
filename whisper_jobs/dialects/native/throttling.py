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

#: Somebody who types has this many times the calls of one who doesn't: a page saves every second, and reads what others save.
EDITING_TIMES = 3


class PerMinute(BaseThrottle):
    """Leaves the Budget on the request, for the headers of the answer."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return self.spend(request, "api", settings.TOOLS.api_per_minute)

    def spend(self, request: Request, purse: str, limit: int) -> bool:
        self.budget = spend(f"{purse}:{caller_of(request)}", limit, now=time.time())
        request.budget = self.budget  # type: ignore[attr-defined]
        return not self.budget.wait_seconds

    def wait(self) -> float:
        return self.budget.wait_seconds


class Editing(PerMinute):
    """Corrections of somebody who is signed in count by themselves; those of programs and strangers like any other call."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, PersonalToken) or not request.user.is_authenticated:
            return super().allow_request(request, view)
        return self.spend(request, "editing", EDITING_TIMES * settings.TOOLS.api_per_minute)


def caller_of(request: Request) -> str:
    """A person's programs with tokens, the same person's pages and JWTs, and strangers by where they come from."""
    if isinstance(request.auth, PersonalToken):
        return f"token-owner:{request.auth.user_id}"
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"address:{network_of(request._request)}"
