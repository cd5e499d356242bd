"""JWT for programs: sign in with e-mail and password, refresh (the old refresh token dies), sign out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.serializers import TokenBlacklistSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False)


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
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        email, password = form.validated_data["email"].lower(), form.validated_data["password"]
        user = authenticate(request._request, username=email, password=password)
        if not isinstance(user, User):
            raise AuthenticationFailed(_("The e-mail address or the password is wrong."))
        refresh = RefreshToken.for_user(user)
        return Response(
            {"ok": True, "access": str(refresh.access_token), "refresh": str(refresh), "user": user_json(user)}
        )


class RefreshView(_OpenView):
    def post(self, request: Request) -> Response:
        form = _checked(TokenRefreshSerializer(data=request.data))
        return Response({"ok": True, **form.validated_data})


class LogoutView(_OpenView):
    def post(self, request: Request) -> Response:
        _checked(TokenBlacklistSerializer(data=request.data))
        return Response({"ok": True})


def _checked(form: serializers.Serializer[Any]) -> serializers.Serializer[Any]:
    """Raises ValidationError, or InvalidToken for a refresh token that is used up, revoked or no token."""
    try:
        form.is_valid(raise_exception=True)
    except TokenError as error:
        raise InvalidToken(str(error)) from error
    return form


def user_json(user: User) -> dict[str, Any]:
    return {"id": user.pk, "email": user.email, "is_admin": user.is_superuser}
