"""The player of a recording: what its part of a page needs, the original in parts, and the shape of the sound."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import get_conditional_response
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from whisper_jobs import playback
from whisper_jobs.models import Job, Waveform
from whisper_jobs.states import READABLE
from whisper_jobs.web.page import Page

#: Beside the component that draws the sound: what marks stretches of it and lets them be dragged.
REGIONS = "regions.esm.js"
#: The peaks of a recording are computed once.
FOR_GOOD = "private, max-age=31536000, immutable"


def player_of(job: Job) -> dict[str, Any]:
    """For templates/parts/player.html. Without a `media_url` there is nothing to play, and `reason` says why."""
    kind = playback.kind_of(job)
    playable = playback.is_playable(job)
    return {
        "id": job.pk,
        "title": job.title,
        "kind": kind,
        "is_video": kind.startswith("video/"),
        "duration": job.source_duration_seconds,
        "media_url": reverse("web:media", args=[job.pk]) if playable else "",
        "waveform_url": reverse("web:waveform", args=[job.pk]) if playable and _may_have_waveform(job) else "",
        "wave_script": settings.WAVE_SCRIPT,
        "regions_script": settings.WAVE_SCRIPT and str(PurePosixPath(settings.WAVE_SCRIPT).with_name(REGIONS)),
        "captions_url": f"{reverse('native:export', args=[job.pk, 'vtt'])}?preset=web",
        "captions_language": job.text_language,
        "has_captions": job.stage in READABLE,
        "reason": "" if playable else _reason(job),
        "is_gone": job.media_removed_at is not None,
        "awaited": not (playable or job.media or job.is_terminal or job.sandbox),
    }


def _may_have_waveform(job: Job) -> bool:
    """Recordings from before there were any stay without; one that is still to be decoded will get one."""
    return job.decoded_at is None or Waveform.objects.filter(job=job).exists()


def _reason(job: Job) -> str:
    if job.media_removed_at:
        day = date_format(localtime(job.media_removed_at), "DATE_FORMAT")
        return _("The sound was deleted on %(day)s, as your organisation wants it; the words stay.") % {"day": day}
    if job.media:
        return _("Browsers can't play this kind of recording. Everything else works as usual.")
    return (
        "" if job.is_terminal or job.sandbox else _("The recording can be played here as soon as it is on this server.")
    )


def addresses(job: Job) -> dict[str, str]:
    """For the script of a job's page; empty where this server has no such page."""
    return {
        "player_url": reverse("web:player", args=[job.pk]),
        "editor_url": _page("web:editor", job),
        "history_url": _page("web:history", job),
        "corrections_url": _page("native:corrections", job),
    }


def _page(name: str, job: Job) -> str:
    try:
        return reverse(name, args=[job.pk])
    except NoReverseMatch:
        return ""


class PlayerView(Page):
    """The part alone, for a page that was opened before the recording was here."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponseBase:
        return render(request, "parts/player.html", {"player": player_of(self.job(job_id))})


class MediaView(Page):
    """The original, as a whole or in part, and never as a page."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponseBase:
        job = self.job(job_id)
        if not playback.is_playable(job):
            raise Http404
        return playback.answer(request, job)


class WaveformView(Page):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = super().dispatch(request, *args, **kwargs)
        if answer.status_code in (200, 304):
            # Loudness tells nothing of what was said, so that this alone may stay in the browser.
            answer["Cache-Control"] = FOR_GOOD
        return answer

    def get(self, request: HttpRequest, job_id: int) -> HttpResponseBase:
        row = Waveform.objects.filter(job=self.job(job_id)).first()
        if row is None:
            raise Http404
        peaks = bytes(row.peaks)
        etag = f'"{playback.digest_of(peaks)}"'
        told = JsonResponse({"per_second": row.per_second, "peaks": list(peaks)}, headers={"ETag": etag})
        return get_conditional_response(request, etag=etag, response=told) or told
