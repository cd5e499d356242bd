"""Tasks, runs and languages: each view translates, calls one verb of the core, and answers."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import exports, intake, results
from whisper_jobs.dialects import idempotency
from whisper_jobs.dialects.calling import CallView, NothingHere
from whisper_jobs.dialects.camb import errors, requests, responses
from whisper_jobs.dialects.camb.authentication import KeyAuthentication
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.models import Job
from whisper_jobs.speech.formats import FORMATS, FormatOptions
from whisper_jobs.states import Stage


class CambView(CallView):
    authentication_classes: Any = (KeyAuthentication,)
    word = staticmethod(errors.word)

    def run(self, number: object) -> Job:
        """The caller's own job that has a result. Raises Refused."""
        job = self.own_job(number)
        if job is None:
            raise Refused(Kind.NOT_FOUND, _("There is no such run."))
        if job.stage != Stage.COMPLETED:
            raise Refused(Kind.NOT_ALLOWED, _("This run has no result. Ask for the status of its task."))
        return job


class TranscribeView(CambView):
    def post(self, request: Request) -> Response:
        asked = requests.submission(request, self.user, self.token)
        made = idempotency.once(lambda: intake.submit(asked), self.user)
        return Response({"task_id": responses.task_id(made.job)}, headers=made.headers)


class TaskView(CambView):
    def get(self, request: Request, task_id: str) -> Response:
        job = self.own_job(responses.job_number(task_id))
        if job is None:
            raise Refused(Kind.NOT_FOUND, _("There is no such task."))
        return Response(responses.polled(job))


class ResultView(CambView):
    def get(self, request: Request, run_id: str) -> Response:
        asked, job = requests.result(request), self.run(requests.run_number(run_id))
        if asked.is_file:
            path = reverse("camb:file", args=[responses.file_name(job, asked.format_name)])
            return Response(responses.file(request.build_absolute_uri(path)))
        if asked.format_name:
            return Response({"transcript": responses.text(job, asked.format_name)})
        return Response(responses.transcript(job, has_words=asked.has_words))


class ResultsView(CambView):
    """Of several runs at once, by their numbers."""

    def post(self, request: Request) -> Response:
        jobs = [self.run(number) for number in requests.runs(request)]
        return Response({str(job.pk): responses.transcript(job) for job in jobs})


class LanguagesView(CambView):
    def get(self, request: Request) -> Response:
        return Response(responses.languages())


class FileView(CambView):
    """For whoever has the address, as long as it is good."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request, name: str) -> HttpResponseBase:
        named = responses.file_of(name)
        job = named and Job.objects.filter(pk=named[0], stage=Stage.COMPLETED, trashed_at=None).first()
        if not (named and job):
            raise Refused(Kind.NOT_FOUND, _("There is no such file, or its address is over."))
        form, stem = FORMATS[named[1]], f"transcript-{job.pk}"
        return exports.answer(form, results.transcript_of(job), FormatOptions(), stem=stem)


class NothingView(NothingHere, CambView):
    """Any other path below /apis/."""
