"""/whisper/organisation/recordings: all recordings of an organisation, and reading one's transcript, which the audit log tells."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from whisper_jobs import audit, organisation, payloads, results
from whisper_jobs.models import BackendPreference, Job
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.speech.transcript import paragraphs
from whisper_jobs.states import READABLE, Status
from whisper_jobs.web.organisation_forms import WantedForm
from whisper_jobs.web.organisation_page import OrganisationPage

FILTERS = ("text", "person", "status", "backend", "language", "since", "until")


class RecordingsView(OrganisationPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        form = WantedForm(request.GET, FILTERS)
        asked = form.asked()
        jobs, following = organisation.recordings(self.tenant.pk, form.wanted())
        told = {
            "form": form,
            "narrowed": bool(asked),
            "rows": [{**_facts(job), "href": self._reading(job)} for job in jobs],
            "next": self.address("web:organisation_recordings", **{**asked, "before": following}) if following else "",
        }
        return self.shown("whisper/organisation_recordings.html", told)

    def _reading(self, job: Job) -> str:
        query = "" if self.tenant == self.user.tenant else f"?tenant={self.tenant.pk}"
        return reverse("web:organisation_recording", args=[job.pk]) + query if job.stage in READABLE else ""


class RecordingView(OrganisationPage):
    """The transcript, to be read and nothing else. That somebody else's was opened is written down before it is shown."""

    def get(self, request: HttpRequest, job_id: int) -> HttpResponse:
        jobs = Job.objects.select_related("owner").filter(tenant=self.tenant, stage__in=READABLE)
        job = get_object_or_404(jobs, pk=job_id)
        if job.owner_id != self.user.pk:
            audit.record("transcript.read", f"job {job.pk}", actor=self.user, tenant=self.tenant, owner=job.owner_id)
        said = [
            {"clock": payloads.duration_human(one.start), "said": one} for one in paragraphs(results.segments_of(job))
        ]
        told = {
            "job": job,
            **_facts(job),
            "paragraphs": said,
            "back": self.address("web:organisation_recordings"),
            "is_written_down": job.owner_id != self.user.pk,
        }
        return self.shown("whisper/organisation_recording.html", told)


def _facts(job: Job) -> dict[str, Any]:
    language = LANGUAGES.get(job.detected_language or job.language, "")
    return {
        "job": job,
        "status": Status(job.status).label,
        "backend": BackendPreference(job.backend).label if job.backend else "",
        "minutes": None if job.source_duration_seconds is None else round(job.source_duration_seconds / 60, 1),
        "language": _(language) if language else "",
    }
