"""/whisper/live: captions of what a microphone hears. What the page does is its script's; this says with what it starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from whisper_jobs.web import choices, texts
from whisper_jobs.web.page import Page

#: Where live sessions are opened over a WebSocket.
STREAM = "/v1/modules/scaiecho/stream/transcribe"


class LiveView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "whisper/live.html", _context())


def _context() -> dict[str, Any]:
    return {
        "is_on": settings.TOOLS.has_live,
        # Sessions take languages by two letters.
        "languages": [choice for choice in choices.languages() if len(choice[0]) in (0, 2)],
        "max_hours": f"{settings.TOOLS.live_max_hours:g}",
        "texts": texts.for_scripts(),
        "start": {
            "sessions_url": reverse("scaiecho:webrtc-sessions"),
            "stream_url": STREAM,
            "job_url": reverse("web:job", args=[0]),
            "worklet_url": static("js/live_captions/samples.js"),
            "resume_seconds": settings.TOOLS.live_resume_seconds,
        },
    }
