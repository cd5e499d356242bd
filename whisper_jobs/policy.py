"""Which backends an owner's recordings may go to. The one place that is asked; today the operator decides for all."""

from __future__ import annotations

from django.conf import settings

from accounts.models import User
from whisper_jobs.speech.backends import ALLOWED, Policy


def allowed_for(owner: User | None) -> Policy:
    """The policy of an owner; None for one who is not known yet."""
    allowed = ALLOWED[settings.TOOLS.backends]
    return Policy(allowed, default=allowed[0])
