"""{% approvals_for user as count %}: how many approvals wait for somebody, for the menu of every page."""

from __future__ import annotations

from django import template

from accounts.models import User
from whisper_jobs import review

register = template.Library()


@register.simple_tag
def approvals_for(user: User) -> int:
    return review.to_do(user)
