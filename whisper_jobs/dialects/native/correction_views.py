"""What people change in a transcript: making a correction, the log of them, and what a replacement would do."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import correction_changes, corrections, payloads, versions
from whisper_jobs.correction_changes import Unsuitable
from whisper_jobs.correction_sheet import Conflict, NotReady
from whisper_jobs.dialects.native import correction_requests as requests
from whisper_jobs.dialects.native import correction_responses as responses
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.dialects.throttling import Editing
from whisper_jobs.models import Job

Json = dict[str, Any]
#: Places of a replacement that are shown before it is made.
MOST_MATCHES = 500


class CorrectionsView(WhisperView):
    throttle_classes = (Editing,)

    def get(self, request: Request, job_id: int) -> Response:
        job, asked = self.job(job_id), requests.log_asked(request)
        return Response(_log(job, asked))

    def post(self, request: Request, job_id: int) -> Response:
        job = self.job(job_id)
        asked = requests.correction(request, job)
        try:
            made = corrections.correct(job.pk, asked.change, author=self.user, request_id=asked.request_id)
        except Conflict as conflict:
            return Response(_conflict(conflict), status=409)
        except NotReady as error:
            return Response(_refusal("not_ready", str(error)), status=409)
        except Unsuitable as error:
            raise _unsuitable(error) from error
        told = {"ok": True, "version": made.correction.number, "correction": responses.correction(made.correction)}
        return Response(told, status=201 if made.is_new else 200)


class PreviewView(WhisperView):
    """What find and replace would change; writes nothing."""

    throttle_classes = (Editing,)

    def post(self, request: Request, job_id: int) -> Response:
        job, asked = self.job(job_id), requests.sought(request)
        try:
            found = correction_changes.swapped(job.pk, asked.swap, asked.ids)
        except Unsuitable as error:
            raise _unsuitable(error) from error
        return Response({"ok": True, **_preview(job, found)})


def _log(job: Job, asked: Json) -> Json:
    # Before the page, so that it never names a version whose corrections are not on it.
    version = versions.newest(job.pk)
    if asked["order"] == "newest":
        page, with_before = corrections.newest(job, asked["before"], asked["limit"]), False
    else:
        page, with_before = corrections.since(job, asked["after"], asked["limit"]), bool(asked["before"])
    return {
        "ok": True,
        "version": version,
        "corrections": [responses.correction(row, with_before=with_before) for row in page.corrections],
        "next": page.following,
    }


def _preview(job: Job, found: dict[int, str]) -> Json:
    shown = list(found)[:MOST_MATCHES]
    rows = job.segments.defer("words").in_bulk(shown)
    matches = [
        {
            "id": pk,
            "revision": rows[pk].revision,
            "start": rows[pk].start,
            "speaker": rows[pk].speaker or None,
            "before": rows[pk].text,
            "after": found[pk],
        }
        for pk in shown
        if pk in rows
    ]
    return {"count": len(found), "matches": matches, "more": len(found) > len(shown)}


def _unsuitable(error: Unsuitable) -> Unprocessable:
    return Unprocessable(str(error), errors={error.field: [str(error)]})


def _conflict(conflict: Conflict) -> Json:
    told = _refusal("conflict", str(conflict))
    rows = [payloads.segment(row) for row in conflict.rows]
    return {**told, "version": conflict.version, "segments": rows, "removed": conflict.removed}


def _refusal(code: str, sentence: str) -> Json:
    return {"ok": False, "message": sentence, "error": sentence, "code": code, "errors": {}}
