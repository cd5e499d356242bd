"""A person's own pages: the hub with name and language, the switch of language, the way to another sign-in provider."""

from __future__ import annotations

import logging
from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base.constants import AuthError
from allauth.socialaccount.providers.openid_connect.views import login as to_provider
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as switch_language
from requests import RequestException

from accounts import tokens
from accounts.forms import ProfileForm
from accounts.models import User

logger = logging.getLogger(__name__)


@method_decorator(never_cache, name="dispatch")
class AccountPage(LoginRequiredMixin, View):
    """A page of the signed-in person; it needs no permission and is kept by no cache."""

    @property
    def user(self) -> User:
        return cast(User, self.request.user)


class HubView(AccountPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(ProfileForm({"name": self.user.name, "language": self.user.language}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ProfileForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        User.objects.filter(pk=self.user.pk).update(**form.cleaned_data)
        with override(form.cleaned_data["language"] or get_language_from_request(request)):
            messages.success(request, _("Saved."))
        answer = redirect("account")
        # Else a switch made before signing in would go on winning over the browser.
        answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        return answer

    def _page(self, form: ProfileForm, status: int = 200) -> HttpResponse:
        return render(self.request, "account/hub.html", {"form": form, **_overview(self.user)}, status=status)


def _overview(user: User) -> dict[str, Any]:
    return {
        "two_step": set(Authenticator.objects.filter(user=user).values_list("type", flat=True)),
        "session_count": UserSession.objects.filter(user=user).count(),
        "providers": get_adapter().list_apps(None),
        "tokens": user.personal_tokens.filter(revoked_at=None, sealed_key="").order_by("-created_at"),
        "token_needs": tokens.missing_permissions(user, tokens.API),
        "openai_key": tokens.live(user, tokens.OPENAI).exclude(sealed_key="").first(),
        "openai_needs": tokens.missing_permissions(user, tokens.OPENAI),
    }


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Django's own, and kept with the person where somebody is signed in."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return switch_language(request)


@never_cache
def login_with_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Leads to the provider over a page of ours: browsers hold a form to this site even when it redirects."""
    try:
        answer = to_provider(request, provider_id)
    except RequestException as error:
        logger.warning("The sign-in provider can't be reached: %s", error)
        provider = get_adapter().get_provider(request, provider_id)
        return cast(HttpResponse, render_authentication_error(request, provider, AuthError.UNKNOWN, error))
    if isinstance(answer, HttpResponseRedirect) and "://" in answer.url:
        return render(request, "socialaccount/leave.html", {"url": answer.url})
    return cast(HttpResponse, answer)
