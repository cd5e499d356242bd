"""What every view of this dialect shares: who may call it, how often, and how it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.utils.translation import gettext as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import PersonalToken, User
from accounts.permissions import PUBLISHED
from whisper_jobs import queries
from whisper_jobs.dialects.scaiecho import errors
from whisper_jobs.dialects.scaiecho.authentication import BearerAuthentication
from whisper_jobs.dialects.throttling import ThrottledView


def may(user: User, published: str) -> bool:
    """Whether somebody has a permission, named as it is published: "scaiecho:diarize"."""
    return user.has_perm(PUBLISHED[published])


class MayCall(BasePermission):
    """Who has what the view needs. A personal token is good for those only who have whisper.api besides."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast(User, request.user)
        is_program = isinstance(request.auth, PersonalToken)
        if user.in_sandbox and not cast(ScaiView, view).has_sandbox:
            told = _("A token of the sandbox is for handing in recordings and reading what becomes of them.")
            raise PermissionDenied(told)
        return may(user, cast(ScaiView, view).needs) and (not is_program or queries.can_use_api(user))


class ScaiView(ThrottledView):
    """For callers with the permission `needs`; whatever is raised is answered in the dialect's envelope."""

    authentication_classes: Any = (BearerAuthentication, SessionAuthentication)
    permission_classes: Any = (IsAuthenticated, MayCall)
    needs: ClassVar[str] = "scaiecho:transcribe"
    #: Whether tokens of the sandbox come in: it has jobs, and nothing else of this module.
    has_sandbox: ClassVar[bool] = False
    #: The description of the native API is of that alone.
    schema = None

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return errors.handle


class OpenView(ScaiView):
    """For everybody, and not counted."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = ()


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response({"data": data}, status=status, headers=headers)
