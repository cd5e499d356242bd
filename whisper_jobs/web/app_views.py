"""What makes the site an app on a phone: the manifest, the service worker, the page without a network, and sharing into it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt

#: As static/css/app.css has them: --accent and --paper in light colours.
ACCENT, PAPER = "#0b6473", "#f6f7f8"
SHARED_FILES = "media_file"
_ADDRESS = re.compile(r"https?://\S+")
_FORM = {"title": "title", "text": "text", "url": "url"}


@cache_control(max_age=3600, private=True)
def manifest(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        _manifest(), content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False}
    )


def _manifest() -> dict[str, Any]:
    queue = reverse("web:queue")
    accepted = ["audio/*", "video/*", ".m4a", ".amr", ".mkv", ".opus"]
    return {
        "id": queue,
        "name": "Tools Whisper",
        "short_name": "Whisper",
        "description": _("Recordings in, transcripts out."),
        "lang": get_language(),
        "start_url": queue,
        "scope": "/",
        "display": "standalone",
        "theme_color": ACCENT,
        "background_color": PAPER,
        "icons": [_icon("favicon.svg", "any"), _icon("maskable.svg", "maskable")],
        "shortcuts": [{"name": _("Record"), "url": f"{queue}#record", "icons": [_icon("favicon.svg", "any")]}],
        "share_target": {
            "action": reverse("web:share-target"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {**_FORM, "files": [{"name": SHARED_FILES, "accept": accepted}]},
        },
    }


def _icon(name: str, purpose: str) -> dict[str, str]:
    return {"src": static(name), "type": "image/svg+xml", "sizes": "any", "purpose": purpose}


@never_cache
def service_worker(request: HttpRequest) -> HttpResponse:
    """From the root, so that it may serve the whole site; looked at anew each time, so that an old one does not stay."""
    path = finders.find("js/sw.js")
    if path is None:
        raise Http404
    return HttpResponse(Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")


def offline(request: HttpRequest) -> HttpResponse:
    """Kept by browsers, so there is nothing of anybody on it."""
    return render(request, "whisper/offline.html")


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class ShareTargetView(View):
    """A link or a text that was shared fills the form. Files never come here unless a browser has no service worker yet.

    Nothing is changed by it, so it needs no token, which a phone would not have.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect(_filled(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        return redirect(_filled(request.POST, missed=bool(request.FILES)))


def _filled(shared: Any, *, missed: bool = False) -> str:
    given = [shared.get(name, "").replace("\0", "") for name in ("url", "text", "title")]
    found = next((match[0] for text in given if (match := _ADDRESS.search(text))), "")
    title = "" if found in given[2] and found else given[2].strip()
    asked = {"source_url": found[:4000], "source_label": title[:200], "missed": "1" if missed else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return reverse("web:queue") + (f"?{query}" if query else "")
