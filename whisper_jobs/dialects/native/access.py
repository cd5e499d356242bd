"""What every view of /api/whisper/ shares: who may call it, how often, and which jobs it can find."""

from __future__ import annotations

from typing import Any, cast

from django.shortcuts import get_object_or_404
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import PersonalToken, User
from whisper_jobs import queries
from whisper_jobs.dialects.native.authentication import PersonalTokenAuthentication
from whisper_jobs.dialects.throttling import ThrottledView
from whisper_jobs.models import Channel, Job


class MayUse(BasePermission):
    """A personal token is good for those only who have whisper.api besides."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast(User, request.user)
        return queries.can_use(user) and (not isinstance(request.auth, PersonalToken) or queries.can_use_api(user))


class MayManage(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return queries.can_manage_all(cast(User, request.user))


class WhisperView(ThrottledView):
    """For signed-in users with whisper.use. `as_view(**TOKEN_API)` makes of it the same view of the token API."""

    permission_classes: Any = (IsAuthenticated, MayUse)
    #: Only jobs of this channel exist here; None for all.
    channel: str | None = None
    #: The URL namespace that links in the answers belong to.
    namespace: str = "native"

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def job(self, job_id: int) -> Job:
        """The job if this caller may see it; else 404, whether or not it exists."""
        return get_object_or_404(queries.visible_jobs(self.user, self.channel), pk=job_id)


#: What makes of a view for signed-in users the same one for programs with a personal token.
TOKEN_API: dict[str, Any] = {
    "authentication_classes": (PersonalTokenAuthentication,),
    "channel": Channel.API.value,
    "namespace": "transcribe",
}
