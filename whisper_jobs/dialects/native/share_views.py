"""The public link of a job's transcript: POST makes it or finds it, PATCH changes it, DELETE revokes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from sharing import owning
from sharing.owning import LEAST_PASSCODE, MOST_DAYS, MOST_PASSCODE
from whisper_jobs.dialects.native.views import OneJobView
from whisper_jobs.models import Job


class ShareOptionsSerializer(serializers.Serializer[Any]):
    """What may be set of a share. What is left out stays as it is; an empty passcode or expiry takes it away."""

    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    expires_in_days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=MOST_DAYS)
    passcode = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=MOST_PASSCODE)
    allow_audio = serializers.BooleanField(required=False)
    show_analysis = serializers.BooleanField(required=False)

    def validate_expires_at(self, at: Any) -> Any:
        if at is not None and not timezone.now() < at < timezone.now() + timedelta(days=MOST_DAYS):
            raise serializers.ValidationError(_("Choose a time that is still to come, within ten years."))
        return at

    def validate_passcode(self, passcode: str | None) -> str:
        if passcode and len(passcode) < LEAST_PASSCODE:
            told = _("A passcode has at least %(count)d characters.") % {"count": LEAST_PASSCODE}
            raise serializers.ValidationError(told)
        return passcode or ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("expires_at") and attrs.get("expires_in_days"):
            raise serializers.ValidationError({"expires_in_days": [_("Send a time or a number of days, not both.")]})
        if "expires_in_days" in attrs and not attrs.get("expires_at"):
            days = attrs.pop("expires_in_days")
            attrs["expires_at"] = timezone.now() + timedelta(days=days) if days else None
        return attrs


class ShareSerializer(ShareOptionsSerializer):
    """Fields of POST …/share; `new_link` revokes the link there is, and makes another with the same options."""

    new_link = serializers.BooleanField(required=False, default=False)


class ShareView(OneJobView):
    def post(self, request: Request, job_id: int) -> Response:
        job, told = self.job(job_id), _checked(ShareSerializer, request)
        new_link = told.pop("new_link")
        shared, is_new = owning.share(job.pk, _options(told), new_link=new_link)
        return self.answer(shared, _("The transcript is shared."), status=201 if is_new else 200)

    def patch(self, request: Request, job_id: int) -> Response:
        job, told = self.job(job_id), _checked(ShareOptionsSerializer, request)
        return self.answer(_found(lambda: owning.change(job.pk, _options(told))), _("The link is changed."))

    def delete(self, request: Request, job_id: int) -> Response:
        job = self.job(job_id)
        return self.answer(_found(lambda: owning.revoke(job.pk)), _("The transcript is no longer shared."))


def _checked(form: type[ShareOptionsSerializer], request: Request) -> dict[str, Any]:
    checked = form(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def _options(told: dict[str, Any]) -> owning.Options:
    return cast(owning.Options, {name: told[name] for name in owning.Options.__annotations__ if name in told})


def _found(act: Callable[[], Job]) -> Job:
    try:
        return act()
    except owning.NotShared as error:
        raise NotFound(str(error)) from error
