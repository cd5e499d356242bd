"""The pages: the queue with its form, the sample, one job. They read queries and payloads and hand in through intake."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.files import File
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import callbacks, exports, intake, limits, pace, payloads, queries, uploads
from whisper_jobs.models import Job
from whisper_jobs.queries import ListFilter
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import ACTIVE, READABLE, Stage, Status
from whisper_jobs.web import (
    analysis_page,
    callback_page,
    choices,
    handing_in,
    library_page,
    naming_page,
    notes_page,
    player,
    review_page,
    sample,
    share_page,
    speech_page,
    texts,
)
from whisper_jobs.web.forms import AgainForm, SubmitForm
from whisper_jobs.web.page import Page

PAGE_OF_JOBS = 50
#: A screenful of a transcript.
FIRST_SEGMENTS = 40
#: Failures that another model may get past.
MODEL_FAILURES = ("model_unavailable", "language_unsupported", "out_of_memory", "backend_unavailable", "timeout")
FILTERS = ("", "active", Status.COMPLETED.value, Status.FAILED.value)


class QueueView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        if request.GET.get("missed"):
            messages.error(request, _("The app was not ready to take a file. Choose the file here once more."))
        initial = {**choices.defaults(), **handing_in.shared(request.GET)}
        return self._page(SubmitForm(initial=initial, may_enrich=queries.can_enrich(self.user)))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SubmitForm(
            request.POST,
            request.FILES,
            upload_refusal=uploads.upload_refusal(request),
            may_enrich=queries.can_enrich(self.user),
        )
        if not form.is_valid():
            return self._page(form, status=422)
        handed = handing_in.hand_in(form.submissions(self.user))
        if handed.problem:
            form.keep(handed.left)
            form.add_error(handed.field, handed.told)
            return self._page(form, status=422)
        if len(handed.jobs) == 1:
            return redirect("web:job", handed.jobs[0].pk)
        messages.success(request, " ".join(handed.told))
        return redirect("web:queue")

    def _page(self, form: SubmitForm, status: int = 200) -> HttpResponse:
        limit = uploads.limit()
        context = {
            "form": _described(form),
            "limit_label": size_label(limit.effective_max_mb),
            "standing": limits.standing(self.user),
            "enrich_host": analysis_page.host(),
            "texts": texts.for_scripts(),
            "undo": library_page.undo_of(self.request),
            "tus_script": settings.TUS_SCRIPT,
            **_list(self.user, _asked(self.request)),
        }
        context["start"] |= {
            "submit_url": reverse("native:jobs"),
            "uploads_url": reverse("native:uploads") if settings.TUS_SCRIPT else "",
            "upload_limit_bytes": limit.effective_max_mb * uploads.MB,
            "upload_limit_label": size_label(limit.effective_max_mb),
        }
        return render(self.request, "whisper/queue.html", context, status=status)


class SampleView(Page):
    def post(self, request: HttpRequest) -> HttpResponse:
        path = sample.path()
        if path is None:
            raise Http404
        try:
            with path.open("rb") as handle:
                job = intake.submit(sample.submission(self.user, File(handle, name=path.name)))
        except limits.LimitReached as reached:
            messages.error(request, str(reached))
            return redirect("web:queue")
        except OSError:
            messages.error(request, handing_in.not_stored())
            return redirect("web:queue")
        return redirect("web:job", job.pk)


class JobView(Page):
    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        told = {**_job_context(job, self.user), **notes_page.context(job, request.GET.get("note", ""))}
        return render(request, "whisper/job.html", told)


class AgainView(Page):
    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        form = AgainForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a model that is on this server."))
            return redirect("web:job", job.pk)
        try:
            copy = intake.again(job, self.user, model=form.cleaned_data["model"])
        except (limits.LimitReached, NotAllowed) as refused:
            messages.error(request, str(refused))
            return redirect("web:job", job.pk)
        except OSError:
            messages.error(request, handing_in.not_stored())
            return redirect("web:job", job.pk)
        return redirect("web:job", copy.pk)


class ReplayView(Page):
    """“Send again” for browsers without scripts."""

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        try:
            callbacks.replay(job.pk)
            messages.success(request, _("The callback is sent again."))
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect("web:job", job.pk)


def _described(form: SubmitForm) -> SubmitForm:
    """Ties every field that has an error to the sentence about it, for screen readers."""
    for name in form.errors:
        if name in form.fields:
            form.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{name}_error"}
    return form


def _asked(request: HttpRequest) -> ListFilter:
    status, cursor = request.GET.get("status", ""), request.GET.get("cursor", "")
    return ListFilter(
        status=status if status in FILTERS else "",
        # PostgreSQL has no text with a NUL in it.
        text=request.GET.get("q", "").replace("\0", "").strip()[:200],
        cursor=int(cursor) if cursor.isdecimal() and len(cursor) < 19 else None,
        limit=PAGE_OF_JOBS,
    )


def _list(user: User, narrow: ListFilter) -> dict[str, Any]:
    """The list of recordings: for the template, and for the script that keeps it up to date."""
    jobs, following = queries.page_of_jobs(user, narrow)
    places, etas = pace.outlook(jobs)
    counts = queries.summary(user)
    total = sum(counts.values())
    start = {
        "jobs": [payloads.job_summary(job, places.get(job.pk), etas.get(job.pk)) for job in jobs],
        "next": following,
        "status": narrow.status,
        "q": narrow.text,
        "limit": narrow.limit,
        "me": user.email,
        "list_url": reverse("native:jobs"),
        "socket": "/ws/whisper/queue",
    }
    return {
        "start": start,
        "q": narrow.text,
        "status": narrow.status,
        "show_empty": total == 0,
        "tabs": _tabs(narrow, {**counts, "": total, "active": counts["queued"] + counts["processing"]}),
        "next_href": _href(narrow, cursor=following) if following else "",
        "sample_url": sample.url(),
    }


def _tabs(narrow: ListFilter, counts: dict[str, int]) -> list[dict[str, Any]]:
    labels = (_("All"), _("Active"), _("Completed"), _("Failed"))
    return [
        {
            "status": status,
            "label": label,
            "count": counts[status],
            "current": status == narrow.status,
            "href": _href(narrow, status=status),
        }
        for status, label in zip(FILTERS, labels, strict=True)
    ]


def _href(narrow: ListFilter, **changed: Any) -> str:
    asked = {"status": narrow.status, "q": narrow.text, **changed}
    query = urlencode({name: value for name, value in asked.items() if value})
    return reverse("web:queue") + (f"?{query}" if query else "")


def _job_context(job: Job, user: User) -> dict[str, Any]:
    places, etas = pace.outlook([job])
    place, eta = places.get(job.pk), etas.get(job.pk)
    # Before all that the page shows, so that its script never takes what it shows for newer than it is.
    told = {**payloads.job_summary(job, place, eta), "steps": payloads.steps(job)}
    pages = player.addresses(job)
    log = payloads.runtime_log(job)
    better = choices.better_than(job.quality)
    callback = callback_page.context(job)
    full = payloads.job_full(job, place, eta=eta)
    return {
        "job": full,
        "active": job.stage in ACTIVE,
        "text_language": job.text_language,
        "deletable": job.is_terminal or job.stage == Stage.QUEUED,
        "show_owner": job.owner_id != user.pk,
        "source_host": urlsplit(job.source_url).hostname or job.source_url,
        "failure_title": _("Cancelled") if job.failure_code == "cancelled" else _("This did not work"),
        "failure_asks_for_model": job.failure_code in MODEL_FAILURES,
        "again": AgainForm(initial={"model": better}, auto_id=False),
        "has_better": bool(better),
        "downloads": exports.job_menu(job.pk),
        "player": player.player_of(job),
        **pages,
        **callback,
        **analysis_page.context(job, user),
        **share_page.context(job),
        **speech_page.context(job, user),
        **review_page.context(job, user),
        **naming_page.context(job),
        "texts": texts.for_scripts(),
        "start": {
            "job": {**told, "runtime_log": log},
            "api_url": reverse("native:job", args=[job.pk]),
            "export_url": reverse("native:export", args=[job.pk, "FORMAT"]),
            "queue_url": reverse("web:queue"),
            "model_failures": MODEL_FAILURES,
            "readable": list(READABLE),
            "speakers": payloads.diarization(job)["speakers"],
            # The socket sends all of them; these are there to read while it is being opened.
            "transcript_version": full["transcript_version"],
            "segments": [payloads.segment(row) for row in queries.segments_since(job.pk, 0)[:FIRST_SEGMENTS]],
            **pages,
            **callback_page.start(job, callback),
            **notes_page.start(user),
            "enrichment_url": reverse("web:enrichment", args=[job.pk]),
            "segments_url": reverse("native:segments", args=[job.pk]),
            "socket": f"/ws/whisper/jobs/{job.pk}",
        },
    }


def size_label(megabytes: int) -> str:
    return f"{megabytes / 1024:.3g} GB" if megabytes >= 1024 else f"{megabytes} MB"
