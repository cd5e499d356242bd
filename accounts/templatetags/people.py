"""For the templates of accounts: fields as this site draws them, browsers by name."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput
from django.utils.safestring import SafeString

from accounts.models import User

register = template.Library()

#: The first that is found; others name themselves after those below them.
_BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


@register.simple_tag
def open_for_signup() -> bool:
    return bool(settings.TOOLS.signup)


@register.filter
def has_security_key(user: User) -> bool:
    return bool(is_mfa_enabled(user, [Authenticator.Type.WEBAUTHN]))


@register.filter
def boxed(field: BoundField, focus: bool = False) -> SafeString:
    """The field's widget in our look, whoever made the form; the label says what a placeholder would."""
    kept = str(field.field.widget.attrs.get("class", ""))
    looks = "" if isinstance(field.field.widget, CheckboxInput) else "input"
    return field.as_widget(attrs={"class": kept or looks, "placeholder": False, "autofocus": focus or False})


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def device(user_agent: str) -> str:
    """ "Firefox · Linux" of what a browser says about itself; its own words where none is known."""
    names = [_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)]
    return " · ".join(name for name in names if name) or user_agent[:60]


def _first(known: dict[str, str], user_agent: str) -> str:
    return next((name for mark, name in known.items() if mark in user_agent), "")
