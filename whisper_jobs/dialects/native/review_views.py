"""A job's approval by a person: how it stands, and what somebody does about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from whisper_jobs import payloads, review
from whisper_jobs.dialects.native.views import OneJobView
from whisper_jobs.models import Job

MOST_EDITORS = 200


class ReviewSerializer(serializers.Serializer[Any]):
    """Fields of POST …/review. `assign` takes `assignee`, null for nobody; `return` needs a `note`."""

    action = serializers.ChoiceField(choices=["assign", "take", "submit", "return", "approve"])
    assignee = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**62, help_text="Id of one of `editors`."
    )
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=review.LONGEST_NOTE)
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=2**31 - 1,
        help_text="`transcript_version` that was read: approving is refused when it has been corrected since.",
    )


class ReviewView(OneJobView):
    def get(self, request: Request, job_id: int) -> Response:
        job = self.job(job_id)
        editors = [{"id": one.pk, "name": review.name_of(one)} for one in review.editors_of(job)[:MOST_EDITORS]]
        return Response({"ok": True, "review": payloads.review(job), "editors": editors})

    def post(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), ReviewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self.answer(_do(job, self.user, form.validated_data), _("Done."))


def _do(job: Job, by: User, told: dict[str, Any]) -> Job:
    verbs: dict[str, Callable[[], Job]] = {
        "assign": lambda: review.assign(job.pk, by=by, assignee=_editor(job, told["assignee"])),
        "take": lambda: review.take(job.pk, by=by),
        "submit": lambda: review.submit(job.pk, by=by, note=told["note"]),
        "return": lambda: review.send_back(job.pk, by=by, note=told["note"]),
        "approve": lambda: review.approve(job.pk, by=by, version=told["version"]),
    }
    return verbs[told["action"]]()


def _editor(job: Job, pk: int | None) -> User | None:
    """Somebody who can't see the job is not told apart from nobody at all."""
    if pk is None:
        return None
    found = review.editors_of(job).filter(pk=pk).first()
    if found is None:
        raise serializers.ValidationError({"assignee": [_("This person can't see the recording.")]})
    return found
