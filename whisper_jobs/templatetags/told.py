"""For the templates of jobs: what they tell of themselves, in the reader's language."""

from __future__ import annotations

from django import template

from whisper_jobs.told import in_words_of_the_reader

register = template.Library()


@register.filter
def told(message: str | None) -> str:
    return in_words_of_the_reader(message or "")
