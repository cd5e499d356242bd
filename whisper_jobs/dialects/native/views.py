"""/api/whisper/: each view checks who asks, translates, calls one verb of the core, and answers."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from whisper_jobs import intake, lifecycle, queries, recovery, results
from whisper_jobs.dialects.native import requests, responses
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.models import Job
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import Stage

#: Pieces of a rendered transcript that are sent together.
PIECE_LINES = 500


class MayUse(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return queries.can_use(cast(User, request.user))


class MayManage(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return queries.can_manage_all(cast(User, request.user))


class WhisperView(APIView):
    """For signed-in users with whisper.use."""

    permission_classes: list[Any] = [IsAuthenticated, MayUse]

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def job(self, job_id: int) -> Job:
        """The job if this user may see it; else 404, whether or not it exists."""
        return get_object_or_404(queries.visible_jobs(self.user), pk=job_id)


class StatusView(WhisperView):
    def get(self, request: Request) -> Response:
        return Response(responses.status(self.user))


class JobsView(WhisperView):
    def get(self, request: Request) -> Response:
        return Response(responses.jobs(*queries.page_of_jobs(self.user, requests.list_filter(request))))

    def post(self, request: Request) -> Response:
        job = submit(requests.submission(request, self.user))
        return Response(responses.job(job, _("The job is queued.")), status=201)


def submit(submission: intake.Submission) -> Job:
    """intake.submit, with a full disk told as what it is to the user: a refusal of the file."""
    try:
        return intake.submit(submission)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        told = _("The server's disk is full. Try again later or tell an administrator.")
        raise Unprocessable(told, code="disk_full", errors={"media_file": [told]}) from error


def again(job: Job, owner: User, model: str) -> Job:
    """intake.again, with an original that is not there any more told as what it is."""
    try:
        return intake.again(job, owner, model=model)
    except FileNotFoundError as error:
        told = _("The recording is not on the server any more. Submit it again.")
        raise Unprocessable(told, code="source_not_found") from error


class JobView(WhisperView):
    def get(self, request: Request, job_id: int) -> Response:
        return Response(responses.job(self.job(job_id)))

    def delete(self, request: Request, job_id: int) -> Response:
        lifecycle.delete(self.job(job_id).pk)
        return Response({"ok": True, "message": _("The job is deleted.")})


class CancelView(WhisperView):
    def post(self, request: Request, job_id: int) -> Response:
        job = lifecycle.request_cancel(self.job(job_id).pk)
        return Response(responses.job(job, _("The job is being cancelled.")))


class RestartView(WhisperView):
    def post(self, request: Request, job_id: int) -> Response:
        job = lifecycle.restart(self.job(job_id).pk)
        return Response(responses.job(job, _("The job is queued again.")))


class AgainView(WhisperView):
    """The same recording once more with another model, as a new job."""

    def post(self, request: Request, job_id: int) -> Response:
        form = requests.AgainSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        job = again(self.job(job_id), self.user, form.validated_data["model"])
        return Response(responses.job(job, _("The job is queued.")), status=201)


class SegmentsView(WhisperView):
    def get(self, request: Request, job_id: int) -> Response:
        form = requests.SegmentsSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        offset, limit = form.validated_data["offset"], form.validated_data["limit"]
        rows = queries.segments_since(self.job(job_id).pk, form.validated_data["since"])
        found = list(rows[offset : offset + limit + 1])
        return Response(responses.segments(found[:limit], offset + limit if len(found) > limit else None))


class ExportView(WhisperView):
    """A finished transcript as a file, written while it is read."""

    def get(self, request: Request, job_id: int, name: str) -> StreamingHttpResponse:
        job = self.job(job_id)
        form = FORMATS.get(name)
        if form is None:
            raise Http404
        if job.stage != Stage.COMPLETED:
            raise Unprocessable(_("The transcript can be downloaded when the job is completed."), code="not_ready")
        answer = StreamingHttpResponse(_pieces(form.render(results.transcript_of(job))), content_type=form.content_type)
        answer["Content-Disposition"] = f'attachment; filename="transcript-{job.pk}.{form.extension}"'
        return answer


async def _pieces(rendered: Iterator[str]) -> AsyncIterator[str]:
    """What a thread reads from the database, a piece at a time; a plain iterator would be collected first."""
    take = sync_to_async(lambda: "".join(islice(rendered, PIECE_LINES)))
    while piece := await take():
        yield piece


class RunNowView(WhisperView):
    """Managers' push: failed jobs go back in the queue if asked, and the lanes are rung."""

    permission_classes: list[Any] = [IsAuthenticated, MayManage]

    def post(self, request: Request) -> Response:
        form = requests.RunNowSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = recovery.run_now(limit=form.validated_data["limit"], reset_failed=form.validated_data["reset_failed"])
        return Response({"ok": True, "message": _("The queue is being worked."), **told})
