"""Who may come in at /mcp: the name that this server is called by, the page that calls, the bearer, how often."""

from __future__ import annotations

import math
import time
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from starlette.responses import JSONResponse

from accounts import bearer
from accounts.bearer import Caller
from whisper_jobs import queries
from whisper_jobs.budget import spend
from whisper_jobs.dialects.throttling import owner_of_tokens, person, stranger


def admit(request: HttpRequest) -> Caller | JSONResponse:
    """The caller, or the refusal. Queries the database."""
    return _led_astray(request) or _known(request)


def _led_astray(request: HttpRequest) -> JSONResponse | None:
    """By another name of this server, or from a page of another site (DNS rebinding); or with a method that there isn't."""
    try:
        host = request.get_host()
    except DisallowedHost:
        return _refusal(421, "invalid_request", "This server does not go by that name.")
    origin = request.headers.get("Origin", "")
    if origin and urlsplit(origin).netloc != host:
        return _refusal(403, "invalid_request", "Pages of other sites may not call this.")
    if request.method != "POST":
        # Without sessions there is nothing to listen to and nothing to end.
        return _refusal(405, "invalid_request", "Only POST is answered here.", {"Allow": "POST"})
    return None


def _known(request: HttpRequest) -> Caller | JSONResponse:
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    found = bearer.caller(token.strip()) if kind.lower() == "bearer" else None
    budget = spend(f"api:{_purse(found, request)}", settings.TOOLS.api_per_minute, now=time.time())
    if budget.wait_seconds:
        wait = {"Retry-After": str(math.ceil(budget.wait_seconds))}
        return _refusal(429, "too_many_requests", "Too many requests. Wait a minute and try again.", wait)
    if found is None:
        error = 'error="invalid_token", ' if token else ""
        header = {"WWW-Authenticate": f'Bearer {error}realm="mcp"'}
        return _refusal(401, "invalid_token", "Send a personal token, or a JWT, as “Authorization: Bearer …”.", header)
    if found.token and not queries.can_use_api(found.user):
        header = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="whisper.api", realm="mcp"'}
        return _refusal(403, "insufficient_scope", "The token's owner lacks the permission whisper.api.", header)
    return found


def _purse(found: Caller | None, request: HttpRequest) -> str:
    if found is None:
        return stranger(request)
    return owner_of_tokens(found.user.pk) if found.token else person(found.user.pk)


def _refusal(status: int, error: str, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """As OAuth words it, which is what clients of this protocol read."""
    return JSONResponse({"error": error, "error_description": sentence}, status, headers)
