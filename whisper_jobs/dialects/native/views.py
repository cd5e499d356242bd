"""/api/whisper/: each view checks who asks, translates, calls one verb of the core, and answers."""

from __future__ import annotations

from dataclasses import replace

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import (
    diarization,
    enrichment,
    exports,
    gaps,
    lifecycle,
    naming,
    note_rows,
    queries,
    recovery,
    results,
    versions,
)
from whisper_jobs.dialects.fields import SpeakersSerializer
from whisper_jobs.dialects.idempotency import Made
from whisper_jobs.dialects.native import requests, responses, submitting
from whisper_jobs.dialects.native.access import MayManage, MayUse, WhisperView
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.models import Job, Segment
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.speech.transcript import Transcript
from whisper_jobs.states import READABLE


class StatusView(WhisperView):
    def get(self, request: Request) -> Response:
        return Response(responses.status(self.user, self.channel))


class JobsView(WhisperView):
    def get(self, request: Request) -> Response:
        page = queries.page_of_jobs(self.user, requests.list_filter(request), self.channel)
        return Response(responses.jobs(*page))


class SubmitView(WhisperView):
    def post(self, request: Request) -> Response:
        made = submitting.submit(requests.submission(request, self.user, self.channel))
        return self.queued(made)

    def queued(self, made: Made) -> Response:
        message = submitting.message(self.channel)
        return Response(responses.job(made.job, message, api=self.namespace), status=201, headers=made.headers)


class OneJobView(WhisperView):
    def enrichable(self, job_id: int) -> Job:
        """The job, for those who may use a language model. One that they can't see is 404 for everybody."""
        job = self.job(job_id)
        if not queries.can_enrich(self.user):
            raise PermissionDenied(_("Your account may not use a language model. An administrator can allow it."))
        return job

    def answer(self, job: Job, message: str = "", *, status: int = 200) -> Response:
        return Response(responses.job(job, message, api=self.namespace), status=status)


class QueueView(JobsView, SubmitView):
    """The list and the way in at one address, for signed-in users."""


class JobView(OneJobView):
    def get(self, request: Request, job_id: int) -> Response:
        return self.answer(self.job(job_id))

    def patch(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), requests.NamingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        named = naming.rename(job.pk, label=told.get("source_label"), note=told.get("source_note"))
        return self.answer(named, _("Saved."))

    def delete(self, request: Request, job_id: int) -> Response:
        lifecycle.delete(self.job(job_id).pk)
        return Response({"ok": True, "message": _("The job is deleted.")})


class CancelView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        return self.answer(lifecycle.request_cancel(self.job(job_id).pk), _("The job is being cancelled."))


class RestartView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        return self.answer(lifecycle.restart(self.job(job_id).pk), _("The job is queued again."))


class AgainView(SubmitView):
    """The same recording once more with another model, as a new job."""

    def post(self, request: Request, job_id: int) -> Response:  # type: ignore[override]
        job, asked = self.job(job_id), requests.again(request)
        return self.queued(submitting.again(job, self.user, asked))


class AnalyzeView(OneJobView):
    """A new analysis of a finished transcript, for those whose transcripts may be sent to a language model."""

    def post(self, request: Request, job_id: int) -> Response:
        job = self.enrichable(job_id)
        changed = enrichment.request_analysis(
            job.pk, asked_by=self.user, **requests.analysis_asked(request, self.user, job)
        )
        return self.answer(changed, _("The transcript is being analysed."), status=202)


class TranslateView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        job, form = self.enrichable(job_id), requests.TranslateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = enrichment.request_translation(job.pk, asked_by=self.user, **form.validated_data)
        return self.answer(changed, _("The transcript is being translated."), status=202)


class DiarizeView(OneJobView):
    """Tells the speakers of a finished transcript apart once more, with what is known of their number."""

    def post(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), SpeakersSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = diarization.request_diarization(job.pk, **form.validated_data)
        return self.answer(changed, _("The speakers are being told apart."), status=202)


class RefillView(OneJobView):
    """Speech that has no words is transcribed again."""

    def post(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), requests.RefillSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = gaps.request_refill(job.pk, **form.validated_data)
        return self.answer(changed, _("The gaps are being transcribed again."), status=202)


class SegmentsView(WhisperView):
    def get(self, request: Request, job_id: int) -> Response:
        form = requests.SegmentsSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        offset, limit, language = told["offset"], told["limit"], told["language"]
        job = self.job(job_id)
        rows = queries.segments_since(job.pk, told["since"]) if told["version"] is None else _at(job, told["version"])
        found = list(rows[offset : offset + limit + 1])
        following = offset + limit if len(found) > limit else None
        if not language:
            return Response(responses.segments(found[:limit], following))
        return Response(responses.translated(found[:limit], _translated(job, language, found), following))


def _at(job: Job, version: int) -> list[Segment]:
    try:
        return versions.segments_at(job.pk, version)
    except versions.NoSuchVersion as error:
        raise _no_version() from error


def _no_version() -> Unprocessable:
    told = _("There is no such version of this transcript.")
    return Unprocessable(told, code="no_such_version", errors={"version": [told]})


def _translated(job: Job, language: str, found: list[Segment]) -> dict[int, str]:
    texts = queries.translated_texts(job.pk, language, found)
    if texts is None:
        told = _("This job has no translation to that language.")
        raise Unprocessable(told, code="not_translated", errors={"language": [told]})
    return texts


class ExportView(WhisperView):
    """A finished transcript as a file, or one of its translations, written while it is read."""

    def get(self, request: Request, job_id: int, name: str) -> StreamingHttpResponse:
        job, asked, form = self.job(job_id), requests.export(request), FORMATS.get(name)
        if form is None:
            raise NotFound(_("There is no such format. Choose one of: %(known)s.") % {"known": ", ".join(FORMATS)})
        if job.stage not in READABLE:
            raise Unprocessable(_("The transcript can be downloaded when the job is completed."), code="not_ready")
        version = "" if asked.version is None else f"v{asked.version}"
        stem = "-".join(filter(None, ("transcript", str(job.pk), asked.language, version)))
        return exports.answer(form, _transcript(job, asked), asked.options, stem=stem)


def _transcript(job: Job, asked: requests.Export) -> Transcript:
    try:
        transcript = results.transcript_of(job, asked.language, asked.version)
    except versions.NoSuchVersion as error:
        raise _no_version() from error
    except results.NotTranslated as error:
        told = _("There is no finished translation to that language.")
        raise Unprocessable(told, code="not_translated", errors={"language": [told]}) from error
    return replace(transcript, notes=note_rows.written(job.pk))


class RunNowView(WhisperView):
    """Managers' push: failed jobs go back in the queue if asked, and the lanes are rung."""

    permission_classes = (IsAuthenticated, MayUse, MayManage)

    def post(self, request: Request) -> Response:
        form = requests.RunNowSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = recovery.run_now(queries.visible_jobs(self.user), **form.validated_data)
        return Response({"ok": True, "message": _("The queue is being worked."), **told})
