"""Which engine and model a job gets on this machine, and why, in words for the user. Called by the prepare step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import converted, moonshine_weights, registry, weights
from whisper_jobs.speech.engines.base import Quality, Task
from whisper_jobs.speech.engines.english import refuse_other_languages
from whisper_jobs.speech.languages import ONLY_LARGE_V3, name_of

AUTO = "auto"
FASTER = "faster-whisper"
WHISPER = "openai-whisper"
DRAFT = "pocketsphinx"
MOONSHINE, MOONSHINE_MODEL = "moonshine", moonshine_weights.MODEL
#: What comes with the program, by the name that is asked for, with what a sentence about it begins with. Both know English only.
ENGLISH = {DRAFT: "The draft engine", MOONSHINE_MODEL: f"The model “{MOONSHINE_MODEL}”"}
#: The libraries that run Whisper models, the one that is taken first where both have a model; and where each keeps them.
STORES: dict[str, Any] = {FASTER: converted, WHISPER: weights}
_PACKAGES = {FASTER: ("faster_whisper", "ctranslate2"), WHISPER: ("whisper", "torch")}
#: Best first. Turbo is nearly as accurate as large-v3 and several times as fast; distilled models know English only.
PREFERENCE = (
    "large-v3-turbo",
    "large-v3",
    "large-v2",
    "large-v1",
    "distil-large-v3.5",
    "distil-large-v3",
    "distil-large-v2",
    "medium",
    "distil-medium",
    "small",
    "distil-small",
    "base",
    "tiny",
)
_SUGGESTED = "base"
_LARGE_V3 = frozenset({"large-v3", "large-v3-turbo"})
#: Turbo was taught without translations: https://github.com/openai/whisper/discussions/2363.
_NO_TRANSLATIONS = frozenset({"large-v3-turbo"})


@dataclass(frozen=True, slots=True)
class Choice:
    """`reason` is a sentence for the user. `takes_for_english`: the model knows nothing else, and nobody said what is spoken."""

    engine: str
    model: str
    quality: Quality
    reason: str
    takes_for_english: bool = False


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
    task: Task = "transcribe",
    folders: tuple[Path, ...],
    memory_bytes: int | None = None,
) -> Choice:
    """`requested`: `auto`, a Whisper model's name, `moonshine-tiny`, `pocketsphinx`, the name or Hub id of a model in the first
    folder, each also behind `faster-whisper/` or `openai-whisper/`, or an engine that was registered; never a path.

    `auto` passes over models that can't do the task or need more than `memory_bytes`. Raises JobError `model_unavailable` or
    `language_unsupported`; what was asked for is never swapped for another.
    """
    if requested in ("", AUTO):
        return _best(language, task, folders=folders, memory_bytes=memory_bytes)
    if task == "translate":
        _refuse_to_translate(requested, language, folders)
    if requested in ENGLISH:
        return _english(requested, language)
    if requested in registry.extra_engines():
        quality = registry.engine_class(requested).quality
        return Choice(requested, requested, quality, f"The engine “{requested}” was chosen for this job.")
    return _whisper(requested, language, task=task, folders=folders)


def known_models(folders: tuple[Path, ...]) -> list[KnownModel]:
    """Everything that can be asked for by name, the best first."""
    known = [_known_model(name, folders) for name in _ordered_catalogue()]
    known += [_own_model(name, engine, folders) for name, engine in _custom(folders)]
    known += [KnownModel(name, name, True, registry.engine_class(name).quality) for name in registry.extra_engines()]
    moonshine = KnownModel(
        MOONSHINE_MODEL, "Moonshine tiny (English)", moonshine_weights.present(), "full", english_only=True
    )
    draft = KnownModel(DRAFT, "PocketSphinx (English, draft quality)", _draft_installed(), "draft", english_only=True)
    return [*known, moonshine, draft]


def installed(engine: str) -> bool:
    return all(find_spec(package) is not None for package in _PACKAGES[engine])


def engines_of(requested: str) -> tuple[str, tuple[str, ...]]:
    """The model's name without the engine that may be named before it, and the engines that may run it, the first one first."""
    engine, _, name = requested.partition("/")
    return (name, (engine,)) if engine in STORES else (requested, tuple(STORES))


def runners(requested: str, folders: tuple[Path, ...]) -> list[str]:
    """The engines that know this Whisper model, the first one first; none for what is no such model."""
    name, engines = engines_of(requested)
    return [each for each in engines if _has(each, name) or name in STORES[each].custom_names(folders[0])]


def catalogued(requested: str) -> bool:
    """Whether it is a published Whisper model, which anybody may have downloaded."""
    name, engines = engines_of(requested)
    return any(_has(engine, name) for engine in engines)


def _draft_installed() -> bool:
    return find_spec("pocketsphinx") is not None


def _english(requested: str, language: str | None) -> Choice:
    """One of those that come with the program, asked for by name."""
    refuse_other_languages(language, engine=ENGLISH[requested])
    reason = f"{ENGLISH[requested]} was chosen for this job."
    if requested == DRAFT:
        return Choice(DRAFT, DRAFT, "draft", reason)
    if not moonshine_weights.present():
        raise JobError("model_unavailable", moonshine_weights.MISSING)
    return Choice(MOONSHINE, MOONSHINE_MODEL, "full", reason, takes_for_english=language is None)


def _whisper(requested: str, language: str | None, *, task: Task, folders: tuple[Path, ...]) -> Choice:
    name, _engines = engines_of(requested)
    known = runners(requested, folders)
    if not known:
        shown = " ".join(requested.split())[:60]
        raise JobError("model_unavailable", f"There is no model called “{shown}” on this server. Choose another one.")
    usable = [engine for engine in known if installed(engine)]
    if not usable:
        raise JobError("model_unavailable", "Whisper is not installed on this server. Choose “auto”.")
    _refuse_unknown_language(name, language, task=task)
    for engine in usable:
        if STORES[engine].find(name, folders) is not None:
            model = _name_in_catalogue(engine, name)
            return Choice(engine, model, "full", f"The Whisper model “{requested}” was chosen for this job.")
    raise JobError("model_unavailable", _how_to_get(requested, folders))


def _best(language: str | None, task: Task, *, folders: tuple[Path, ...], memory_bytes: int | None) -> Choice:
    among = "on this server that can translate" if task == "translate" else "that this server has"
    for name in _candidates(language, task):
        for engine in filter(installed, STORES):
            if _fits(engine, name, memory_bytes) and STORES[engine].find(name, folders):
                return Choice(engine, name, "full", f"Whisper “{name}” is the best model {among}.")
    return _without_whisper(language, task)


def _without_whisper(language: str | None, task: Task) -> Choice:
    """What comes with the program, if that can do it at all."""
    how = f"`manage.py models download {_SUGGESTED if _knows(_SUGGESTED, language) else 'large-v3'}`"
    if task == "translate":
        what = f"translate {name_of(language)}" if language else "translate"
        message = f"No model on this server can {what}. An administrator can get one with {how}."
        raise JobError("model_unavailable", message)
    if language not in (None, "en"):
        message = f"No model on this server knows {name_of(language)}. An administrator can get one with {how}."
        raise JobError("language_unsupported", message)
    if moonshine_weights.present():
        return _by_moonshine(language, how)
    if not _draft_installed():
        message = f"There is no speech model on this server. An administrator can get one with {how}."
        raise JobError("model_unavailable", message)
    reason = (
        "No Whisper model is on this server, so the words are a draft, by PocketSphinx, for English only. "
        f"An administrator can get a better model with {how}."
    )
    return Choice(DRAFT, DRAFT, "draft", reason, takes_for_english=language is None)


def _by_moonshine(language: str | None, how: str) -> Choice:
    limits = "English only" if language else "English only and writes nonsense for other languages"
    reason = (
        f"No Whisper model is on this server, so the words are by Moonshine tiny, which knows {limits}. "
        f"An administrator can get a better model with {how}."
    )
    return Choice(MOONSHINE, MOONSHINE_MODEL, "full", reason, takes_for_english=language is None)


def _candidates(language: str | None, task: Task) -> Iterator[str]:
    """The best first. English-only ones come before their like for English, and last when the language isn't known."""
    names = [name for name in _ordered_catalogue() if task == "transcribe" or _translates(name)]
    if language == "en":
        yield from sorted(names, key=lambda name: _size(name))
        return
    yield from (name for name in names if not _english_only(name) and _knows(name, language))
    if language is None:
        yield from (name for name in names if _english_only(name))


def _size(name: str) -> tuple[int, bool]:
    """Place in the order for English speech: of one size the model that knows nothing else first."""
    return PREFERENCE.index(name.removesuffix(".en")), not name.endswith(".en")


def _english_only(name: str) -> bool:
    return any(known.english_only for store in STORES.values() if (known := store.named(name)))


def _translates(name: str) -> bool:
    return not _english_only(name) and name not in _NO_TRANSLATIONS


def _knows(name: str, language: str | None) -> bool:
    return language not in ONLY_LARGE_V3 or name in _LARGE_V3


def _name_in_catalogue(engine: str, name: str) -> str:
    known = STORES[engine].named(name)
    return known.name if known else name


def _catalogued_as(asked: str) -> str | None:
    return next((known.name for store in STORES.values() if (known := store.named(asked))), None)


def _refuse_to_translate(requested: str, language: str | None, folders: tuple[Path, ...]) -> None:
    """Raises JobError `language_unsupported` for what can only transcribe; of other people's models nobody knows."""
    name = requested if requested in ENGLISH else _catalogued_as(engines_of(requested)[0])
    if name is None or (name not in ENGLISH and _translates(name)):
        return
    able = list(_candidates(None if language == "en" else language, "translate"))
    other = next((each for each in able if _is_present(each, folders)), _like(name, able))
    what = ENGLISH.get(name, f"The model “{name}”")
    message = f"{what} can't translate. Choose “{other}”."
    raise JobError("language_unsupported", message)


def _like(name: str, able: list[str]) -> str:
    """The one of its size, else the best."""
    size = name.removesuffix(".en").removeprefix("distil-")
    return size if size in able else able[0]


def _refuse_unknown_language(asked: str, language: str | None, *, task: Task) -> None:
    catalogued = _catalogued_as(asked)
    if catalogued is None or language is None:
        return
    if _english_only(catalogued) and language != "en":
        other = catalogued.removesuffix(".en")
        other = "large-v3-turbo" if other.startswith("distil-") else other
        message = f"The model “{catalogued}” understands English only, not {name_of(language)}. Choose “{other}”."
        raise JobError("language_unsupported", message)
    if not _knows(catalogued, language):
        others = "“large-v3”" if task == "translate" else "“large-v3” or “turbo”"
        message = f"The model “{catalogued}” does not know {name_of(language)}. Choose {others}."
        raise JobError("language_unsupported", message)


def _how_to_get(requested: str, folders: tuple[Path, ...]) -> str:
    name, engines = engines_of(requested)
    command = f"`manage.py models download {requested}`"
    if any(STORES[engine].status(name, folders).state == "damaged" for engine in engines if _has(engine, name)):
        return f"The file of the Whisper model “{requested}” is damaged. Ask an administrator to run {command}."
    if FASTER in engines and _is_damaged_folder(name, folders):
        if converted.is_hub_id(name):
            return f"The file of the Whisper model “{requested}” is damaged. Ask an administrator to run {command}."
        return f"The folder of the Whisper model “{requested}” is damaged. Ask an administrator to replace it."
    present = [each for each in _ordered_catalogue() if _is_present(each, folders)]
    others = " or ".join(f"“{each}”" for each in [*present[:2], AUTO])
    return (
        f"Whisper model “{requested}” is not on this server. Ask an administrator to run {command}, or choose {others}."
    )


def _is_damaged_folder(name: str, folders: tuple[Path, ...]) -> bool:
    """Of a model beyond the catalogue; the files of openai-whisper have no checksum then and nothing else to be known by."""
    known = name in converted.custom_names(folders[0])
    return known and converted.status(name, folders).state == "damaged"


def _has(engine: str, name: str) -> bool:
    return STORES[engine].named(name) is not None


def _is_present(name: str, folders: tuple[Path, ...]) -> bool:
    engines = (engine for engine in STORES if installed(engine) and _has(engine, name))
    return any(STORES[engine].status(name, folders).state == "present" for engine in engines)


def _fits(engine: str, name: str, memory_bytes: int | None) -> bool:
    """Half-precision weights become single-precision ones with torch on a CPU, and small ones with CTranslate2, which holds
    both for a moment; the rest is the library itself."""
    known = STORES[engine].named(name)
    if known is None:
        return False
    needed = known.size_bytes * 2 + 700_000_000 if engine == WHISPER else known.size_bytes * 1.5 + 400_000_000
    return bool(memory_bytes is None or needed <= memory_bytes)


def _ordered_catalogue() -> list[str]:
    names = (candidate for name in PREFERENCE for candidate in (name, f"{name}.en"))
    return [name for name in names if any(store.named(name) for store in STORES.values())]


def _custom(folders: tuple[Path, ...]) -> list[tuple[str, str]]:
    """Models that an administrator put into the first folder, each with the engine that runs it."""
    found = {name: engine for engine in reversed(STORES) for name in STORES[engine].custom_names(folders[0])}
    return sorted(found.items())


def _own_model(name: str, engine: str, folders: tuple[Path, ...]) -> KnownModel:
    available = installed(engine) and not (engine == FASTER and _is_damaged_folder(name, folders))
    return KnownModel(name, f"Whisper {name}", available, "full")


def _known_model(name: str, folders: tuple[Path, ...]) -> KnownModel:
    label = f"Whisper {name}" + (" (English)" if _english_only(name) else "")
    return KnownModel(name, label, _is_present(name, folders), "full", _english_only(name))
