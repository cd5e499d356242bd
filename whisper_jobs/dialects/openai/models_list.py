"""The models that can be asked for: OpenAI's names, which all mean this server's default, and those of this server."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.pipeline import models

#: Tells speakers apart without being asked.
DIARIZES = "gpt-4o-transcribe-diarize"
#: Its `json` names the languages that were heard.
TELLS_LANGUAGES = "gpt-transcribe"
OPENAI = (
    "whisper-1",
    TELLS_LANGUAGES,
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    DIARIZES,
)
AUTO = "auto"


def meant(name: str) -> str:
    """What a job is asked for by. Raises Refused for a name that nobody knows."""
    if name in OPENAI:
        return str(settings.TOOLS.default_model)
    if not models.is_known(name):
        told = _("The model “%(name)s” does not exist on this server. GET /v1/models lists those that do.")
        raise Refused(Kind.NOT_FOUND, told % {"name": name[:100]}, code="model_not_found", field="model")
    return name


def listed() -> list[dict[str, Any]]:
    names = dict.fromkeys([*OPENAI, AUTO, *(one.name for one in models.known())])
    return [described(name) for name in names]


def described(name: str) -> dict[str, Any]:
    """Nobody knows when the models of this machine were made, and the schema wants a number."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "openai" if name in OPENAI else "tools-whisper"}
