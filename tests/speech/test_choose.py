"""Which engine a job gets, and why; what was asked for is never swapped for something else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import registry, weights
from whisper_jobs.speech.engines.choose import Choice, choose, known_models
from whisper_jobs.speech.engines.weights import Weights

Put = Callable[..., Path]


class Clockwork:
    name = "clockwork"
    quality = "full"


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts weights of a name on the disk: small ones, which the catalogue is told to expect."""

    def put(name: str, *, folder: str = "models", damaged: bool = False) -> Path:
        content = f"weights of {name}".encode() * 10
        monkeypatch.setitem(weights.CATALOGUE, name, Weights(name, hashlib.sha256(content).hexdigest(), len(content)))
        path = tmp_path / folder / f"{name}.pt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content[::-1] if damaged else content)
        return path

    return put


@pytest.fixture
def pick(tmp_path: Path) -> Callable[..., Choice]:
    def pick(requested: str, language: str | None = None, *, memory_bytes: int | None = None) -> Choice:
        return choose(
            requested,
            language=language,
            models_dir=tmp_path / "models",
            whisper_cache=tmp_path / "cache",
            memory_bytes=memory_bytes,
        )

    return pick


def refused(pick: Callable[..., Choice], *asked: str | None) -> JobError:
    with pytest.raises(JobError) as caught:
        pick(*asked)
    return caught.value


def test_auto_takes_the_best_weights_that_are_there(pick: Callable[..., Choice], put: Put) -> None:
    put("tiny")
    put("small", folder="cache")
    choice = pick("auto")
    assert (choice.engine, choice.model, choice.quality) == ("openai-whisper", "small", "full")
    assert "small" in choice.reason


def test_auto_passes_over_a_damaged_file(pick: Callable[..., Choice], put: Put) -> None:
    put("large-v3", damaged=True)
    put("base")
    assert pick("auto", "sv").model == "base"


def test_auto_passes_over_what_does_not_fit_into_memory(pick: Callable[..., Choice], put: Put) -> None:
    put("base")
    assert pick("auto", memory_bytes=10**9).model == "base"
    assert pick("auto", memory_bytes=10**8).engine == "pocketsphinx"


def test_auto_without_whisper_is_a_draft_that_says_so(pick: Callable[..., Choice]) -> None:
    for language in (None, "en"):
        choice = pick("auto", language)
        assert (choice.engine, choice.quality) == ("pocketsphinx", "draft")
        assert "draft" in choice.reason
        assert "models download" in choice.reason


def test_auto_without_a_model_for_the_language_fails_and_says_what_to_do(pick: Callable[..., Choice]) -> None:
    error = refused(pick, "auto", "sv")
    assert error.code == "language_unsupported"
    assert "Swedish" in error.message
    assert "manage.py models download" in error.message


def test_english_only_weights_serve_english_but_no_other_language(pick: Callable[..., Choice], put: Put) -> None:
    put("base.en")
    put("tiny")
    assert pick("auto", "en").model == "base.en"
    assert pick("auto", "sv").model == "tiny"
    assert pick("auto", None).model == "tiny"


def test_cantonese_goes_only_to_models_that_know_it(pick: Callable[..., Choice], put: Put) -> None:
    put("large-v2")
    put("large-v3")
    assert pick("auto", "yue").model == "large-v3"
    assert refused(pick, "large-v2", "yue").code == "language_unsupported"


def test_a_named_model_is_taken_by_its_name_or_alias(pick: Callable[..., Choice], put: Put) -> None:
    put("large-v3")
    put("tiny")
    assert pick("tiny").model == "tiny"
    assert pick("large").model == "large-v3"


def test_a_named_model_that_is_missing_is_never_swapped(pick: Callable[..., Choice], put: Put) -> None:
    put("tiny")
    error = refused(pick, "large")
    assert error.code == "model_unavailable"
    assert "“large” is not on this server" in error.message
    assert "`manage.py models download large`" in error.message
    assert "“tiny”" in error.message


def test_a_named_model_that_is_damaged_says_so(pick: Callable[..., Choice], put: Put) -> None:
    put("base", damaged=True)
    error = refused(pick, "base")
    assert error.code == "model_unavailable"
    assert "damaged" in error.message


def test_an_english_model_is_refused_for_swedish(pick: Callable[..., Choice], put: Put) -> None:
    put("base.en")
    error = refused(pick, "base.en", "sv")
    assert error.code == "language_unsupported"
    assert "“base”" in error.message


def test_the_draft_engine_by_name_is_english_only(pick: Callable[..., Choice], put: Put) -> None:
    put("base")
    assert pick("pocketsphinx", "en").engine == "pocketsphinx"
    assert refused(pick, "pocketsphinx", "sv").code == "language_unsupported"


@pytest.mark.parametrize("asked", ["nonsense", "../models/base", "/etc/passwd", "models/own.pt", "own.pt", "a\0b"])
def test_a_path_or_an_unknown_name_is_no_model(pick: Callable[..., Choice], put: Put, asked: str) -> None:
    put("base").with_name("own.pt").write_bytes(b"x")
    assert refused(pick, asked).code == "model_unavailable"


def test_an_administrators_checkpoint_is_known_by_its_bare_name(pick: Callable[..., Choice], put: Put) -> None:
    put("tiny").with_name("kb-whisper-small.pt").write_bytes(b"x")
    choice = pick("kb-whisper-small", "sv")
    assert (choice.engine, choice.model) == ("openai-whisper", "kb-whisper-small")
    assert pick("auto").model == "tiny", "what nobody knows is not chosen by itself"


def test_a_registered_engine_can_be_asked_for(
    pick: Callable[..., Choice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ENGINES", dict(registry.ENGINES))
    assert refused(pick, "clockwork").code == "model_unavailable"
    registry.register("clockwork", f"{__name__}:Clockwork")
    assert pick("clockwork", "sv").engine == "clockwork"
    assert pick("auto").engine == "pocketsphinx"
    assert "clockwork" in [each.name for each in known_models(tmp_path, tmp_path)]


def test_the_form_shows_what_is_there(tmp_path: Path, put: Put) -> None:
    put("base")
    put("turbo-own").rename(tmp_path / "models" / "mine.pt")
    known = {each.name: each for each in known_models(tmp_path / "models", tmp_path / "cache")}
    assert [name for name, each in known.items() if each.available] == ["base", "mine", "pocketsphinx"]
    assert next(iter(known)) == "large-v3-turbo"
    assert known["base.en"].english_only
    assert known["pocketsphinx"].quality == "draft"
    assert "draft" in known["pocketsphinx"].label
