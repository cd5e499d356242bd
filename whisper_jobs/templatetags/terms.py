"""{% glossary_size user as count %}: how many terms somebody's glossary has."""

from __future__ import annotations

from django import template

from accounts.models import User
from whisper_jobs import glossary

register = template.Library()


@register.simple_tag
def glossary_size(user: User) -> int:
    return glossary.of(user).count()
