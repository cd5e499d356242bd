"""JWT for programs: sign in with e-mail, password and second step, refresh (the old refresh token dies), sign out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.utils import has_verified_email
from allauth.core import ratelimit
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.models import update_last_login
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts import jwt
from accounts.language import speak_to
from accounts.models import User
from accounts.permissions import PUBLISHED

#: As the sign-in library counts: a minute for all tries from an address, five for wrong ones on an account.
PATIENCE_SECONDS = 60
LOCKED_SECONDS = 300


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False, max_length=1000)
    code = serializers.CharField(required=False, allow_blank=True, max_length=100)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4000)


class _OpenView(APIView):
    """Anyone may call it; a stale Authorization header must not get in the way of signing in."""

    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[Any]:
        return [_Challenge()]


class _Challenge(JWTAuthentication):
    """Never authenticates; names the scheme, so that a refusal is 401 with WWW-Authenticate."""

    def authenticate(self, request: Request) -> None:
        return None


class LoginView(_OpenView):
    serializer_class = LoginSerializer

    def post(self, request: Request) -> Response:
        told = _checked(LoginSerializer(data=request.data))
        if not ratelimit.consume(request._request, action="login"):
            raise Throttled(PATIENCE_SECONDS)
        user = _by_password(request, told["email"].lower(), told["password"])
        speak_to(user)
        _check_address(user)
        _check_second_step(user, told.get("code", ""))
        update_last_login(User, user)
        return _answer(user, jwt.issue(user))


class RefreshView(_OpenView):
    serializer_class = RefreshSerializer

    def post(self, request: Request) -> Response:
        told = _checked(RefreshSerializer(data=request.data))
        try:
            return _answer(*jwt.rotate(told["refresh"]))
        except jwt.Refused as refused:
            raise _used_up() from refused


class LogoutView(_OpenView):
    serializer_class = RefreshSerializer

    def post(self, request: Request) -> Response:
        told = _checked(RefreshSerializer(data=request.data))
        try:
            jwt.revoke(told["refresh"])
        except jwt.Refused as refused:
            raise _used_up() from refused
        return Response({"ok": True})


def _checked(form: serializers.Serializer[Any]) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _by_password(request: Request, email: str, password: str) -> User:
    try:
        user = get_adapter().authenticate(request._request, email=email, password=password)
    except ValidationError as error:
        raise Throttled(LOCKED_SECONDS) from error
    if not isinstance(user, User):
        raise AuthenticationFailed(_("The e-mail address or the password is wrong."), "wrong_credentials")
    return user


def _check_address(user: User) -> None:
    if not has_verified_email(user, user.email):
        told = _("The e-mail address is not confirmed yet. Sign in on the site once to confirm it.")
        raise AuthenticationFailed(told, "email_unverified")


def _check_second_step(user: User, code: str) -> None:
    """A password alone is never enough where its owner has asked for more."""
    if not is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
        return
    if not code:
        told = _(
            "This account has two-step sign-in: send a code of the authenticator app or a recovery code as “code”."
        )
        raise AuthenticationFailed(told, "mfa_required")
    form = AuthenticateForm(user=user, data={"code": code})
    if form.is_valid():
        form.authenticator.record_usage()
    elif form.has_error("code", "too_many_login_attempts"):
        raise Throttled(LOCKED_SECONDS)
    else:
        raise AuthenticationFailed(_("This code is wrong or was used before."), "mfa_wrong_code")


def _used_up() -> AuthenticationFailed:
    return AuthenticationFailed(_("This refresh token is no longer good. Sign in again."), "token_not_valid")


def _answer(user: User, pair: jwt.Pair) -> Response:
    return Response({"ok": True, **asdict(pair), "user": user_json(user)}, headers={"Cache-Control": "no-store"})


def user_json(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "language": user.language or None,
        "is_admin": user.is_superuser,
        "tenant": user.tenant.name,
        "permissions": [name for name, django in PUBLISHED.items() if user.has_perm(django)],
    }
