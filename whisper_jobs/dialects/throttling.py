"""How often a caller may call, for the views of every dialect: who counts as one caller, and what each has a minute."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import PersonalToken
from accounts.origin import network_of
from whisper_jobs.budget import Budget, spend

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


class ThrottledView(APIView):
    """A request counts for its caller before the permissions are looked at, so that refusals are throttled too."""

    throttle_classes: Any = (PerMinute,)

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except APIException:
            super().check_throttles(request)
            raise

    def check_permissions(self, request: Request) -> None:
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Done before the permissions."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        budget: Budget | None = getattr(request, "budget", None)
        if budget is not None:
            response["X-RateLimit-Limit"] = str(budget.limit)
            response["X-RateLimit-Remaining"] = str(budget.remaining)
        return super().finalize_response(request, response, *args, **kwargs)


def caller_of(request: Request) -> str:
    """A person's programs with tokens, the same person's pages and JWTs, and strangers by where they come from."""
    if isinstance(request.auth, PersonalToken):
        return owner_of_tokens(request.auth.user_id)
    if request.user.is_authenticated:
        return person(request.user.pk)
    return stranger(request._request)


def owner_of_tokens(user_id: int) -> str:
    return f"token-owner:{user_id}"


def person(user_id: int) -> str:
    return f"user:{user_id}"


def stranger(request: HttpRequest) -> str:
    return f"address:{network_of(request)}"
