"""What is answered where no view is reached: JSON below the APIs, a page elsewhere. Named in config.urls."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views import defaults

from config import envelopes

WAIT_SECONDS = 60


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Never looks at the body: Django's own checks its CSRF token, and trips again over what could not be read."""
    told = _("The server could not read this request.")
    if envelopes.is_api(request.path):
        return _refusal(request.path, 400, "bad_request", told)
    return HttpResponseBadRequest(f"{told}\n", content_type="text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if envelopes.is_api(request.path):
        return _refusal(request.path, 404, "not_found", _("There is nothing at this address of the API."))
    return defaults.page_not_found(request, exception)


def too_many(request: HttpRequest) -> HttpResponse:
    """What the pages of signing in answer, which count more strictly than the API."""
    wait = {"Retry-After": str(WAIT_SECONDS)}
    if envelopes.is_api(request.path):
        return _refusal(request.path, 429, "throttled", _("Too many requests. Wait a minute and try again."), wait)
    return HttpResponse(render_to_string("429.html", {}, request), status=429, headers=wait)


def server_error(request: HttpRequest) -> HttpResponse:
    if envelopes.is_api(request.path):
        return _refusal(request.path, 500, "internal_error", _("Something went wrong on the server. Try again later."))
    return defaults.server_error(request)


def _refusal(path: str, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse(envelopes.refusal(path, code, message), status=status, headers=headers)
