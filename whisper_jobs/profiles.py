"""Profiles, by which orders are worked on: the two that everybody has, and a person's own, each called by its name in any case."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import QuerySet

from accounts.models import User
from whisper_jobs.models import Captions, Profile
from whisper_jobs.speech.captions import PRESETS, Rules

#: One person's; a bound against scripts gone wild.
MOST_PROFILES = 100
#: name → whether a person edits and approves. Nobody's own profile is called so.
BUILT_IN = {"automatic": False, "edited": True}


def of(user: User) -> QuerySet[Profile]:
    """The own ones."""
    return Profile.objects.filter(owner=user).order_by("name", "pk")


def is_built_in(name: str) -> bool:
    return name.casefold() in BUILT_IN


def find(user: User, name: str) -> Profile | None:
    """One that this person may name; a built-in one has no row."""
    known = name.casefold()
    if known in BUILT_IN:
        return Profile(name=known, human_editing=BUILT_IN[known], captions=Captions.WEB)
    # Compared here: SQLite knows no other letters' cases than those of ASCII.
    return next((one for one in of(user) if one.name.casefold() == known), None)


def caption_rules(profile: Profile) -> Rules | None:
    """How captions are broken; None leaves each segment as it is."""
    rules = PRESETS[profile.captions]
    if rules is None:
        return None
    return replace(rules, max_line=profile.max_line or rules.max_line, max_lines=profile.max_lines or rules.max_lines)
