"""The sample recording that an empty queue offers: where it is, and the submission that it makes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.templatetags.static import static
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs.intake import Submission

_NAMES = {"sample/two-voices.mp3": "audio/mpeg", "sample/two-voices.wav": "audio/wav"}


@cache
def _found() -> tuple[str, Path] | None:
    for name in _NAMES:
        if path := finders.find(name):
            return name, Path(path)
    return None


def path() -> Path | None:
    found = _found()
    return found[1] if found else None


def url() -> str:
    """Where a page can play it; empty when this installation has none."""
    found = _found()
    return static(found[0]) if found else ""


def submission(owner: User, file: File[bytes]) -> Submission:
    name = file.name or ""
    media = UploadedFile(file=file, name=name, content_type=_NAMES[f"sample/{name}"], size=file.size)
    return Submission(owner=owner, media_file=media, source_label=_("Sample: two voices"), language="en")
