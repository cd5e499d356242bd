"""GET /healthz and GET /readyz, open to all: they name no job and no person."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from whisper_jobs.health import checks


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The web process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part of the server is up, else 503 with what is missing."""
    health = checks.look()
    return JsonResponse(health.as_json(), status=503 if health.missing else 200)
