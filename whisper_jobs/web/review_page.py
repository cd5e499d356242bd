"""Approvals: the part of a job's page, and /whisper/review, which lists what waits for whom."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import payloads, review
from whisper_jobs.models import Job, Review, ReviewState, Transcript
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Stage
from whisper_jobs.web import texts
from whisper_jobs.web.page import Page

PAGE_OF_JOBS = 50


def context(job: Job, user: User) -> dict[str, Any]:
    """For the template; None where no approval is wanted."""
    if not job.needs_approval:
        return {"approval": None}
    row = Review.objects.select_related("assignee", "decided_by").filter(job=job).first()
    is_open = job.stage == Stage.REVIEWING and row is not None
    return {
        "approval": {
            "url": reverse("web:review-part", args=[job.pk]),
            "is_open": is_open,
            "state": row.state if row and (is_open or job.stage == Stage.COMPLETED) else "",
            "state_label": ReviewState(row.state).label if row else "",
            "is_mine": row is not None and row.assignee_id == user.pk,
            "assignee": review.name_of(row.assignee) if row and row.assignee else "",
            "assignee_id": row.assignee_id if row else None,
            "decided_by": review.name_of(row.decided_by) if row and row.decided_by else "",
            "changed_at": row.changed_at if row else None,
            "note": row.note if row else "",
            "version": Transcript.objects.filter(job=job).values_list("version", flat=True).first()
            if is_open
            else None,
            "editors": _editors(job) if is_open else [],
            "most_note": review.LONGEST_NOTE,
        }
    }


def _editors(job: Job) -> list[tuple[int, str]]:
    return [(one.pk, review.name_of(one)) for one in review.editors_of(job)]


class ReviewPartView(Page):
    """GET: the part alone, for the script that keeps it up to date. POST: what somebody does, then the page that they were on."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        told = {"job": {"id": job.pk, "stage": job.stage}, **context(job, self.user)}
        return render(request, "whisper/job_review.html", told)

    def post(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self.job(job_id)
        try:
            _act(job, self.user, request)
        except NotAllowed as error:
            messages.error(request, str(error))
        if request.POST.get("back") == "list":
            return redirect("web:review")
        return redirect(f"{reverse('web:job', args=[job.pk])}#approval")


def _act(job: Job, user: User, request: HttpRequest) -> None:
    """Does what the button says. Raises NotAllowed."""
    told, note = request.POST, request.POST.get("note", "")
    match told.get("act"):
        case "take":
            review.take(job.pk, by=user)
        case "assign":
            review.assign(job.pk, by=user, assignee=_chosen(job, told.get("assignee", "")))
        case "submit":
            review.submit(job.pk, by=user, note=note)
        case "return":
            review.send_back(job.pk, by=user, note=note)
        case "approve":
            version = told.get("version", "")
            review.approve(job.pk, by=user, version=int(version) if version.isdecimal() and len(version) < 10 else None)
        case _:
            raise NotAllowed(_("Choose from what is offered."))


def _chosen(job: Job, chosen: str) -> User | None:
    if not chosen:
        return None
    found = review.editors_of(job).filter(pk=chosen).first() if chosen.isdecimal() and len(chosen) < 19 else None
    if found is None:
        raise NotAllowed(_("This person can't see the recording."))
    return found


class ReviewListView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        counts = review.counts(self.user)
        view = request.GET.get("view") or ("mine" if counts["mine"] else "all")
        view = view if view in review.VIEWS else "all"
        rows, following = _page(self.user, view, request.GET.get("after", ""))
        told = {
            "rows": rows,
            "view": view,
            "tabs": _tabs(view, counts),
            "next_href": _href(view, after=following) if following else "",
            "texts": texts.for_scripts(),
        }
        return render(request, "whisper/review.html", told)


def _page(user: User, view: str, after: str) -> tuple[list[dict[str, Any]], int | None]:
    jobs = review.narrowed(review.awaiting(user), view, user)
    if after.isdecimal() and len(after) < 19:
        jobs = jobs.filter(pk__gt=int(after))
    found = list(jobs[: PAGE_OF_JOBS + 1])
    shown = found[:PAGE_OF_JOBS]
    return [_row(job, user) for job in shown], shown[-1].pk if len(found) > PAGE_OF_JOBS else None


def _row(job: Job, user: User) -> dict[str, Any]:
    row = job.review
    return {
        "id": job.pk,
        "title": job.title,
        "owner": "" if job.owner_id == user.pk else job.owner.email,
        "duration": payloads.duration_human(job.source_duration_seconds) or "",
        "state": row.state,
        "state_label": ReviewState(row.state).label,
        "assignee": review.name_of(row.assignee) if row.assignee else "",
        "is_mine": row.assignee_id == user.pk,
        "note": row.note,
        "changed_at": row.changed_at,
    }


def _tabs(view: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    labels = {
        "mine": _("For me to edit"),
        "waiting": _("Nobody's yet"),
        "returned": _("Sent back"),
        "submitted": _("To approve"),
        "all": _("All"),
    }
    return [
        {"view": name, "label": label, "count": counts[name], "current": name == view, "href": _href(name)}
        for name, label in labels.items()
    ]


def _href(view: str, **more: Any) -> str:
    return f"{reverse('web:review')}?{urlencode({'view': view, **more})}"
