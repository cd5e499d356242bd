"""{% whereabouts %}: where recordings go, for the foot of every page."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def whereabouts() -> str:
    if "B" in settings.TOOLS.backends:
        return _("Recordings may be sent to another server, which transcribes them.")
    return _("Recordings stay on this server.")
