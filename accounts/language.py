"""The language a person has chosen wins over the browser's: in pages by the middleware, in the API by authentication."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin

from accounts.models import User


def speak_to(user: Any) -> None:
    """Everything that this request says from now on is in the user's language, if they have chosen one."""
    if isinstance(user, User) and user.language in dict(settings.LANGUAGES):
        translation.activate(user.language)


def language_of(user: User) -> str:
    """What a mail to the user is written in: the chosen language, else that of the request that sends it."""
    return user.language or translation.get_language() or settings.LANGUAGE_CODE


class LanguageOfUser(MiddlewareMixin):
    """Stands behind the session's user and Django's own choice of language."""

    def process_request(self, request: HttpRequest) -> None:
        speak_to(request.user)
        request.LANGUAGE_CODE = translation.get_language()
