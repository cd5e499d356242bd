"""Where the sign-in library asks this product: new people, mails, sealed secrets, ended sessions, the guarded way out."""

from __future__ import annotations

import base64
import logging
import secrets
from smtplib import SMTPException
from typing import Any

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import jwt, wire
from accounts.language import language_of
from accounts.models import Tenant, User
from accounts.permissions import grant
from accounts.seal import seal, unseal
from whisper_jobs.outbound import Guard

logger = logging.getLogger(__name__)
#: Told of a caller that came through a unix socket, where there is none.
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - a name for "unknown", nothing listens here


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("The e-mail address or the password is wrong."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.TOOLS.signup)

    def new_user(self, request: HttpRequest) -> User:
        return User(tenant=Tenant.objects.default())

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        super().save_user(request, user, form, commit)
        if user.pk:
            grant(user, "whisper.use")
        return user

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Somebody deactivated is told no more than a stranger."""
        user = super().authenticate(request, **credentials)
        if not isinstance(user, User) or not user.is_active:
            return None
        if not user.emailaddress_set.exists():
            # Who signs up by themselves has one, so an operator made this user and vouches for the address.
            user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return user

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        jwt.revoke_all(user)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within minutes of signing in, nor of the last time it was asked."""
        request = context.request
        done = get_authentication_records(request, request.user)
        age = timezone.now().timestamp() - done[-1]["at"] if done else float("inf")
        return age > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT

    def get_client_ip(self, request: HttpRequest) -> str:
        """What our proxies tell; where that is no address, or came past too few of them, that of who has connected."""
        connected = str(request.META.get("REMOTE_ADDR") or NO_ADDRESS)
        try:
            return super().get_client_ip(request) if connected != NO_ADDRESS else NO_ADDRESS
        except (ImproperlyConfigured, PermissionDenied):
            return connected

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _dash, secret = key.partition("-")
        return self._address(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": secret}))

    def _address(self, path: str) -> str:
        """As the operator names this site; else as the person who asks has named it, within ALLOWED_HOSTS."""
        if settings.TOOLS.public_url or self.request is None:
            return f"{settings.SITE_URL}{path}"
        return str(self.request.build_absolute_uri(path))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of the person it goes to. A mail server that is down must not take the page with it."""
        user = context.get("user") or User.objects.filter(email=email.lower()).first()
        language = language_of(user) if isinstance(user, User) else translation.get_language()
        try:
            with translation.override(language):
                super().send_mail(template_prefix, email, {**context, "site_url": self._address("/")})
        except (OSError, SMTPException):
            logger.exception("A mail could not be sent: %s", template_prefix)
            if self.request is not None:
                messages.error(self.request, _("The mail could not be sent. Try again later."))


class TwoStepAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """After a change of SECRET_KEY nobody may know the secret, so it is then one that no code fits."""
        return unseal(encrypted_text) or base64.b32encode(secrets.token_bytes(20)).decode()


class SessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, sessions: Any) -> None:
        """Everywhere else means programs too."""
        super().end_sessions(sessions)
        if isinstance(context.request.user, User):
            jwt.revoke_all(context.request.user)


class OidcAdapter(DefaultSocialAccountAdapter):
    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.name = str(data.get("name") or "")[:100]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        grant(user, "whisper.use")
        return user

    def get_requests_session(self) -> requests.Session:
        return wire.session(Guard(settings.TOOLS.outbound_allow))
