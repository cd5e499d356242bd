"""Which engine and model a job gets on this machine, and why, in words for the user. Called by the prepare step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import registry, weights
from whisper_jobs.speech.engines.base import Quality
from whisper_jobs.speech.engines.pocketsphinx import refuse_other_languages
from whisper_jobs.speech.languages import ONLY_LARGE_V3, name_of

AUTO = "auto"
WHISPER = "openai-whisper"
DRAFT = "pocketsphinx"
#: Best first. Turbo is nearly as accurate as large-v3 and several times as fast.
PREFERENCE = ("large-v3-turbo", "large-v3", "large-v2", "large-v1", "medium", "small", "base", "tiny")
_SUGGESTED = "base"
_LARGE_V3 = frozenset({"large-v3", "large-v3-turbo"})


@dataclass(frozen=True, slots=True)
class Choice:
    """`reason` is a sentence for the user."""

    engine: str
    model: str
    quality: Quality
    reason: str


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One line of a form: `available` without a look into the file."""

    name: str
    label: str
    available: bool
    quality: Quality
    english_only: bool = False


def choose(
    requested: str,
    *,
    language: str | None,
    models_dir: Path,
    whisper_cache: Path,
    memory_bytes: int | None = None,
) -> Choice:
    """`requested`: `auto`, a Whisper model's name, `pocketsphinx`, a checkpoint's name in the models folder, or an
    engine that was registered; never a path. `auto` passes over models that need more than `memory_bytes`.

    Raises JobError `model_unavailable` or `language_unsupported`; what was asked for is never swapped for another.
    """
    folders = (models_dir, whisper_cache)
    if requested in ("", AUTO):
        return _best(language, folders, memory_bytes)
    if requested == DRAFT:
        refuse_other_languages(language)
        return Choice(DRAFT, DRAFT, "draft", "The draft engine was chosen for this job.")
    if requested in registry.extra_engines():
        quality = registry.engine_class(requested).quality
        return Choice(requested, requested, quality, f"The engine “{requested}” was chosen for this job.")
    return _whisper(requested, language, folders)


def known_models(models_dir: Path, whisper_cache: Path) -> list[KnownModel]:
    """Everything that can be asked for by name, the best first."""
    usable = whisper_installed()
    known = [_known_model(each, (models_dir, whisper_cache), usable=usable) for each in _ordered_catalogue()]
    known += [KnownModel(name, f"Whisper {name}", usable, "full") for name in weights.custom_names(models_dir)]
    known += [KnownModel(name, name, True, registry.engine_class(name).quality) for name in registry.extra_engines()]
    label = "PocketSphinx (English, draft quality)"
    return [*known, KnownModel(DRAFT, label, _draft_installed(), "draft", english_only=True)]


def whisper_installed() -> bool:
    return find_spec("whisper") is not None and find_spec("torch") is not None


def _draft_installed() -> bool:
    return find_spec("pocketsphinx") is not None


def _whisper(name: str, language: str | None, folders: tuple[Path, ...]) -> Choice:
    known = weights.named(name)
    if known is None and name not in weights.custom_names(folders[0]):
        shown = " ".join(name.split())[:60]
        raise JobError("model_unavailable", f"There is no model called “{shown}” on this server. Choose another one.")
    if not whisper_installed():
        raise JobError("model_unavailable", "Whisper is not installed on this server. Choose “auto”.")
    if known is not None:
        _refuse_unknown_language(known, language)
        if weights.find(name, folders) is None:
            raise JobError("model_unavailable", _how_to_get(name, folders))
    model = known.name if known else name
    return Choice(WHISPER, model, "full", f"The Whisper model “{name}” was chosen for this job.")


def _best(language: str | None, folders: tuple[Path, ...], memory_bytes: int | None) -> Choice:
    if whisper_installed():
        for each in _candidates(language):
            if memory_bytes is not None and _memory_needed(each) > memory_bytes:
                continue
            if weights.find(each.name, folders):
                reason = f"Whisper “{each.name}” is the best model that this server has."
                return Choice(WHISPER, each.name, "full", reason)
    how = f"`manage.py models download {_SUGGESTED}`"
    if language not in (None, "en"):
        message = f"No model on this server knows {name_of(language)}. An administrator can get one with {how}."
        raise JobError("language_unsupported", message)
    if not _draft_installed():
        message = f"There is no speech model on this server. An administrator can get one with {how}."
        raise JobError("model_unavailable", message)
    reason = (
        "No Whisper model is on this server, so the words are a draft, by PocketSphinx, for English only. "
        f"An administrator can get a better model with {how}."
    )
    return Choice(DRAFT, DRAFT, "draft", reason)


def _candidates(language: str | None) -> Iterator[weights.Weights]:
    """The best first. English-only ones come before their like for English, and last when the language isn't known."""
    for name in PREFERENCE:
        if language == "en" and (english := weights.named(f"{name}.en")):
            yield english
        if language not in ONLY_LARGE_V3 or name in _LARGE_V3:
            yield weights.CATALOGUE[name]
    if language is None:
        yield from (each for name in PREFERENCE if (each := weights.named(f"{name}.en")))


def _refuse_unknown_language(known: weights.Weights, language: str | None) -> None:
    if known.english_only and language not in (None, "en"):
        other = known.name.removesuffix(".en")
        message = f"The model “{known.name}” understands English only, not {name_of(language)}. Choose “{other}”."
        raise JobError("language_unsupported", message)
    if language in ONLY_LARGE_V3 and known.name not in _LARGE_V3:
        message = f"The model “{known.name}” does not know {name_of(language)}. Choose “large-v3” or “turbo”."
        raise JobError("language_unsupported", message)


def _how_to_get(name: str, folders: tuple[Path, ...]) -> str:
    command = f"`manage.py models download {name}`"
    if weights.status(name, folders).state == "damaged":
        return f"The file of the Whisper model “{name}” is damaged. Ask an administrator to run {command}."
    present = [each.name for each in _ordered_catalogue() if weights.status(each.name, folders).state == "present"]
    others = " or ".join(f"“{each}”" for each in [*present[:2], AUTO])
    return f"Whisper model “{name}” is not on this server. Ask an administrator to run {command}, or choose {others}."


def _memory_needed(each: weights.Weights) -> int:
    """Half-precision weights become single-precision ones on a CPU; the rest is the library itself."""
    return each.size_bytes * 2 + 700_000_000


def _ordered_catalogue() -> list[weights.Weights]:
    names = (candidate for name in PREFERENCE for candidate in (name, f"{name}.en"))
    return [weights.CATALOGUE[name] for name in names if name in weights.CATALOGUE]


def _known_model(each: weights.Weights, folders: tuple[Path, ...], *, usable: bool) -> KnownModel:
    available = usable and weights.status(each.name, folders).state == "present"
    label = f"Whisper {each.name}" + (" (English)" if each.english_only else "")
    return KnownModel(each.name, label, available, "full", each.english_only)
