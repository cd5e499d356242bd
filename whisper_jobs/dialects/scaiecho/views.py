"""Files, health and the tenant's policy: each view checks who asks, translates, calls one verb of the core, and answers."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import intake, policy
from whisper_jobs.dialects import idempotency, inline
from whisper_jobs.dialects.scaiecho import errors, requests, responses
from whisper_jobs.dialects.scaiecho.access import OpenView, ScaiView, answer
from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.health import checks
from whisper_jobs.models import Job

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

    has_sandbox = True

    def post(self, request: Request) -> Response:
        asked = requests.transcription(request, self.user)
        made = idempotency.once(lambda: intake.submit(asked.submission), self.user)
        accepted = answer(responses.accepted(made.job), 202, made.headers)
        return inline.wait_for(accepted, made.job) if asked.is_inline else accepted


@csrf_exempt
async def transcribe(request: HttpRequest) -> HttpResponseBase:
    """The transcript of a short recording, else where to poll for it. Pages' CSRF tokens are looked at by AcceptView."""
    seconds = settings.TOOLS.inline_seconds
    return await inline.answered(request, AcceptView.as_view(), _finished, errors.word, seconds=seconds)


def _finished(job: Job) -> HttpResponseBase:
    return JsonResponse({"data": responses.finished(job)})


class TranscriptionView(ScaiView):
    has_sandbox = True

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
