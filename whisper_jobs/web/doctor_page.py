"""/whisper/manage/doctor: what works on this server, what doesn't, and what to do. The button looks at the network, too."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from whisper_jobs.doctor import examining
from whisper_jobs.doctor.finding import Group, State
from whisper_jobs.web.dashboard import ManagersPage

GROUPS = {
    Group.SPEECH: _("Speech"),
    Group.MEDIA: _("Media"),
    Group.STORAGE: _("Storage"),
    Group.QUEUE: _("Queue and workers"),
    Group.SITE: _("Site"),
    Group.NETWORK: _("Network"),
}
STATES = {State.OK: _("Works"), State.WARN: _("Could be better"), State.FAIL: _("Does not work")}
#: What each check looks at.
NAMES = {
    "choice-en": _("Jobs in English"),
    "choice-sv": _("Jobs in another language"),
    "models": _("Whisper models"),
    "whole-models": _("Files of the models"),
    "engine-faster-whisper": "faster-whisper",
    "engine-openai-whisper": "openai-whisper",
    "engine-moonshine": "Moonshine",
    "engine-pocketsphinx": "PocketSphinx",
    "relay": _("Relay"),
    "gpu": "GPU",
    "speakers": _("Speakers"),
    "gated-models": _("Gated models"),
    "decoder": _("Decoder"),
    "yt-dlp": "yt-dlp",
    "data-folder": _("Data folder"),
    "disk": _("Disk"),
    "upload-limit": _("Largest upload"),
    "database": _("Database"),
    "broker": _("Broker"),
    "workers": _("Workers"),
    "live": _("Live sessions"),
    "clock": _("Clock"),
    "address": _("Address"),
    "secret-key": _("Secret key"),
    "debug": _("Debug pages"),
    "mail": _("Mail"),
    "limits": _("Limits"),
    "internet": _("Internet"),
    "clock-net": _("Clock"),
    "relay-reach": _("Relay"),
    "hub": _("Model hub"),
    "mail-server": _("Mail server"),
}


class DoctorView(ManagersPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "whisper/doctor.html", _context(net=False))

    def post(self, request: HttpRequest) -> HttpResponse:
        return render(request, "whisper/doctor.html", _context(net=True))


def _context(*, net: bool) -> dict[str, Any]:
    sections = examining.examine(net=net)
    findings = [finding for section in sections for finding in section.findings]
    return {
        "sections": [
            {"label": GROUPS[section.group], "group": section.group.value, "findings": _shown(section)}
            for section in sections
        ],
        "outlook": examining.outlook(),
        "counts": [(state, STATES[state], sum(one.state == state for one in findings)) for state in reversed(State)],
        "net": net,
        "now": timezone.now(),
    }


def _shown(section: examining.Section) -> list[dict[str, Any]]:
    return [
        {"label": NAMES.get(one.name, one.name), "state": one.state.value, "word": STATES[one.state], "row": one}
        for one in section.findings
    ]
