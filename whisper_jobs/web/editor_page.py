"""The page on which a whole transcript is corrected while one listens. Its script reads and writes through the native API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.models import User
from whisper_jobs import payloads
from whisper_jobs.models import Job, Transcript
from whisper_jobs.states import READABLE
from whisper_jobs.web import editor_texts
from whisper_jobs.web.page import Page
from whisper_jobs.web.player import player_of


class EditorView(Page):
    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        ready = job.stage in READABLE and Transcript.objects.filter(job=job).exists()
        context = _context(job, self.user) if ready else {}
        return render(request, "whisper/editor.html", {"job": job, "ready": ready, **context})


def _context(job: Job, user: User) -> dict[str, Any]:
    player = player_of(job)
    return {
        "player": player,
        "text_language": job.text_language,
        "texts": editor_texts.for_editor(),
        "start": {
            "job_id": job.pk,
            "user_id": user.pk,
            # Both before the segments are read, so that nothing that is corrected meanwhile is taken for known.
            "version": Transcript.objects.values_list("version", flat=True).get(job=job),
            "revision": job.revision,
            "duration": job.source_duration_seconds,
            "speakers": payloads.diarization(job)["speakers"],
            "waveform_url": player["waveform_url"],
            **_addresses(job),
        },
    }


def _addresses(job: Job) -> dict[str, str]:
    return {
        "page_url": reverse("web:editor", args=[job.pk]),
        "segments_url": reverse("native:segments", args=[job.pk]),
        "corrections_url": reverse("native:corrections", args=[job.pk]),
        "preview_url": reverse("native:preview", args=[job.pk]),
        "socket": f"/ws/whisper/jobs/{job.pk}",
    }
