"""What the pages offer to choose from: models with what can be expected of them, languages by their names here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from whisper_jobs.pipeline import models as known_models
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.told import in_words_of_the_reader

Choice = tuple[str, str]
NO_SPEAKERS = "off"
#: That the form offers; the API takes more.
MOST_SPEAKERS = 12


def models() -> list[Any]:
    """`auto`, the models on this server, then those that would have to be downloaded first, as a group."""
    known = known_models.known()
    here = [(model.name, in_words_of_the_reader(model.label)) for model in known if model.available]
    absent = [(model.name, in_words_of_the_reader(model.label)) for model in known if not model.available]
    offered: list[Any] = [("auto", _("Automatic: the best on this server")), *here]
    return [*offered, (_("Not downloaded on this server"), absent)] if absent else offered


def better_than(quality: str) -> str:
    """Name of the best full-quality model on this server, when `quality` is draft; empty when there is none."""
    if quality != "draft":
        return ""
    known = known_models.known()
    return next((model.name for model in known if model.available and model.quality == "full"), "")


def languages() -> list[Choice]:
    return [("", _("Detect automatically")), *target_languages()]


def target_languages() -> list[Choice]:
    """Those that can be written in."""
    return sorted(((code, _(name)) for code, name in LANGUAGES.items()), key=lambda choice: choice[1].casefold())


def speakers() -> list[Choice]:
    """How many people speak, as far as somebody knows."""
    found, none = ("", _("Find out how many")), (NO_SPEAKERS, _("Don't tell them apart"))
    return [found, none, *((str(count), str(count)) for count in range(1, MOST_SPEAKERS + 1))]


def defaults() -> dict[str, str]:
    return {"model": settings.TOOLS.default_model, "language": ""}
