"""What the views of every dialect for programs share: a personal token by which it is known who calls, and what they may."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.language import speak_to
from accounts.models import PersonalToken, User
from whisper_jobs import queries
from whisper_jobs.dialects import refusals
from whisper_jobs.dialects.throttling import ThrottledView
from whisper_jobs.models import Channel, Job

#: The header that names what was sent and has no effect.
IDLE = "X-Without-Effect"
_MOST_NAMES, _LONGEST_NAME = 20, 60
#: No job has a longer number.
_MOST_DIGITS = 18


class TokenAuthentication(BaseAuthentication):
    """A personal token from wherever a dialect has it. `request.auth` is the PersonalToken."""

    #: Of the header WWW-Authenticate.
    challenge: ClassVar[str] = 'Bearer realm="whisper"'

    def told(self, request: Request) -> Iterable[str | None]:
        """The places where a token may be, in the order in which they count: None where there is none, empty where it is wrong."""
        raise NotImplementedError

    def authenticate(self, request: Request) -> tuple[User, PersonalToken] | None:
        clear = next((one for one in self.told(request) if one is not None), None)
        if clear is None:
            return None
        found = tokens.find(clear, tokens.API) if clear.isascii() else None
        if found is None:
            raise AuthenticationFailed(_("This API token is not known, or is no longer good."), "token_rejected")
        speak_to(found.user)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return self.challenge


def after_scheme(request: Request, scheme: str) -> str | None:
    """What follows `scheme` in the header Authorization; empty for another scheme, None without the header."""
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return None
    kind, _space, token = authorization.partition(" ")
    return token.strip() if kind.lower() == scheme.lower() else ""


class MayCall(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast(User, request.user)
        return queries.can_use(user) and queries.can_use_api(user)


class CallView(ThrottledView):
    """For programs whose person has whisper.use and whisper.api; whatever is raised is answered as the dialect words it."""

    permission_classes: Any = (IsAuthenticated, MayCall)
    #: The description of the native API is of that alone.
    schema = None

    @staticmethod
    def word(refusal: refusals.Refusal) -> refusals.Worded:
        """Status and body of a refusal."""
        raise NotImplementedError

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return refusals.handler(self.word)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        if names := idle_fields(request):
            response[IDLE] = ", ".join(names)
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @property
    def token(self) -> PersonalToken:
        return cast(PersonalToken, self.request.auth)

    def own_job(self, number: object) -> Job | None:
        """The caller's own job of the API by its number as a client writes it; None for anything else."""
        return own_job(self.user, number)


def note_idle(request: Request, names: Iterable[str]) -> None:
    """These fields came along and change nothing here, which the answer says."""
    told = {name for name in names if name.isascii() and name.isprintable() and "," not in name}
    request._request.idle_fields = sorted(name[:_LONGEST_NAME] for name in told)[:_MOST_NAMES]  # type: ignore[attr-defined]


def idle_fields(request: Request) -> list[str]:
    return getattr(request._request, "idle_fields", [])


class NothingHere(CallView):
    """Beneath a dialect's own view: any other path of it, whoever asks."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise refusals.Refused(refusals.Kind.NOT_FOUND, _("There is nothing at this address of the API."))


def own_job(user: User, number: object) -> Job | None:
    text = str(number)
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return None
    return queries.visible_jobs(user, Channel.API).filter(owner=user, pk=int(text)).first()
