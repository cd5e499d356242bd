"""Files, health and the tenant's policy: each view checks who asks, translates, calls one verb of the core, and answers."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import awaiting, intake, policy
from whisper_jobs.dialects import idempotency
from whisper_jobs.dialects.scaiecho import errors, requests, responses
from whisper_jobs.dialects.scaiecho.access import OpenView, ScaiView, answer
from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.health import checks
from whisper_jobs.models import Job
from whisper_jobs.pooled import let_go
from whisper_jobs.states import Stage

ME = {"status": "ok", "module": "scaiecho"}
#: How far this module is rolled out here: all of it.
PHASE = "production"


class HealthView(OpenView):
    def get(self, request: Request) -> Response:
        return Response(ME)


class ReadyView(OpenView):
    def get(self, request: Request) -> Response:
        waiting = checks.look().missing
        status = "starting" if waiting else "ok"
        return Response({**ME, "status": status, "phase": PHASE}, status=503 if waiting else 200)


class AcceptView(ScaiView):
    """Takes a recording in. The answer names the job that is to be waited for, if it is."""

    def post(self, request: Request) -> Response:
        asked = requests.transcription(request, self.user)
        made = idempotency.once(lambda: intake.submit(asked.submission), self.user)
        accepted = answer(responses.accepted(made.job), 202, made.headers)
        accepted.job_id = made.job.pk if asked.is_inline else None  # type: ignore[attr-defined]
        return accepted


@csrf_exempt
async def transcribe(request: HttpRequest) -> HttpResponseBase:
    """The transcript of a short recording, else where to poll for it. Pages' CSRF tokens are looked at by AcceptView."""
    response = await sync_to_async(_accept)(request)
    job_id = getattr(response, "job_id", None)
    if isinstance(response, Response) and job_id and await awaiting.ended(job_id, settings.TOOLS.inline_seconds):
        await sync_to_async(_tell_end)(response, job_id)
    return response


def _accept(request: HttpRequest) -> HttpResponseBase:
    try:
        return AcceptView.as_view()(request)
    finally:
        let_go()


def _tell_end(response: Response, job_id: int) -> None:
    """Makes of the answer that tells where to poll one that tells how it ended; unless somebody has started it again."""
    try:
        job = _not_failed(job_id)
        if job.stage == Stage.COMPLETED:
            response.data, response.status_code = {"data": responses.finished(job)}, 200
    except Exception as error:
        told = errors.as_scai(error)
        response.data, response.status_code = errors.envelope(told), told.status_code


def _not_failed(job_id: int) -> Job:
    """Raises ScaiError for a job that failed, or was deleted meanwhile."""
    job = Job.objects.filter(pk=job_id, trashed_at=None).first()
    if job is None:
        raise requests.no_such_job()
    if job.stage == Stage.FAILED:
        code = job.failure_code if job.failure_code in FAILURES else "internal_error"
        raise errors.of_failure(JobError(code, job.failure_error), job_id=str(job.pk))
    return job


class TranscriptionView(ScaiView):
    def get(self, request: Request, job_id: str) -> Response:
        return answer(responses.polled(requests.job_of(self.user, job_id)))


class TenantPolicyView(ScaiView):
    """What the caller's own tenant may use."""

    needs = "scaiecho:admin"

    def get(self, request: Request) -> Response:
        return answer(responses.tenant_policy(policy.of(self.user.tenant_id)))

    def patch(self, request: Request) -> Response:
        changes = requests.policy_changes(request)
        try:
            changed = policy.change(self.user.tenant_id, changes, actor=self.user)
        except policy.Invalid as error:
            raise ScaiError("SCAIECHO_TENANT_POLICY_INVALID", str(error), field=error.field) from error
        return answer(responses.tenant_policy(changed))


class NothingView(OpenView):
    """Any other path below the module's."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise ScaiError("SCAIECHO_NOT_FOUND", _("There is nothing at this address of the API."))
