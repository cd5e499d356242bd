"""Pages for one's personal tokens: make, look at, rotate, try, revoke; and one's own key of a provider."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.forms import KeyForm, TestEventForm, TokenForm
from accounts.models import PersonalToken
from accounts.views import AccountPage
from whisper_jobs import callbacks

#: So long the page looks again by itself whether a test event has been sent.
PATIENCE = timedelta(seconds=30)


class TokenPage(AccountPage):
    """About one token that its owner has and that is not revoked; anyone else's is not found."""

    def token(self, pk: int) -> PersonalToken:
        return get_object_or_404(self.user.personal_tokens, pk=pk, revoked_at=None, sealed_key="")


@method_decorator(reauthentication_required, name="dispatch")
class NewTokenView(AccountPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(TokenForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if tokens.missing_permissions(self.user, tokens.API):
            raise PermissionDenied
        if not form.is_valid():
            return self._page(form, status=422)
        asked = {name: form.cleaned_data[name] for name in ("name", "thin_callbacks", "is_sandbox")}
        made = tokens.create(self.user, tokens.API, expires_at=form.expires_at(), **asked)
        return render(request, "account/token_made.html", {"made": made, **asked})

    def _page(self, form: TokenForm, status: int = 200) -> HttpResponse:
        needs = tokens.missing_permissions(self.user, tokens.API)
        return render(self.request, "account/token_new.html", {"form": form, "needs": needs}, status=status)


class TokenView(TokenPage):
    """The token, and the test event: sent by POST, its fate shown from then on."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._page(self.token(pk), TestEventForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        token, form = self.token(pk), TestEventForm(request.POST)
        if refused := ratelimit.consume_or_429(request, action="test_event"):
            return cast(HttpResponse, refused)
        if not form.is_valid():
            return self._page(token, form, status=422)
        callbacks.send_test(token, form.cleaned_data["url"])
        return redirect("token", pk=pk)

    def _page(self, token: PersonalToken, form: TestEventForm, status: int = 200) -> HttpResponse:
        test = callbacks.last_test(token)
        waiting = test is not None and not test.attempts and timezone.now() - test.created_at < PATIENCE
        told = {"token": token, "form": form, "test": test, "waiting": waiting}
        return render(self.request, "account/token.html", told, status=status)


@method_decorator(reauthentication_required, name="dispatch")
class RotateView(TokenPage):
    """GET asks, POST does and shows the new secret once."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "account/token_rotate.html", {"token": self.token(pk)})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self.token(pk)
        secret = tokens.rotate_secret(token)
        return render(request, "account/token_rotated.html", {"token": token, "secret": secret})


class RevokeView(TokenPage):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "account/token_revoke.html", {"token": self.token(pk)})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        tokens.revoke(self.token(pk))
        messages.success(request, _("The token is revoked. It opens nothing any more."))
        return redirect("account")


class KeyView(AccountPage):
    """One's own OpenAI key: put in or replaced, never shown again."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(KeyForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = KeyForm(request.POST)
        if tokens.missing_permissions(self.user, tokens.OPENAI):
            raise PermissionDenied
        if not form.is_valid():
            return self._page(form, status=422)
        tokens.store_provider_key(self.user, form.cleaned_data["key"])
        messages.success(request, _("The key is stored. Your analyses and translations use it from now on."))
        return redirect("account")

    def _page(self, form: KeyForm, status: int = 200) -> HttpResponse:
        needs = tokens.missing_permissions(self.user, tokens.OPENAI)
        told = {"form": form, "needs": needs, "kept": tokens.live(self.user, tokens.OPENAI).first()}
        return render(self.request, "account/key.html", told, status=status)


class ForgetKeyView(AccountPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "account/key_forget.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        for key in tokens.live(self.user, tokens.OPENAI):
            tokens.revoke(key)
        messages.success(request, _("The key is removed."))
        return redirect("account")
