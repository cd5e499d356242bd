"""Which engine a job gets, and why; what was asked for is never swapped for something else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.speech.checkpoints import model_bin
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import registry, weights
from whisper_jobs.speech.engines.base import Task
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
    def pick(
        requested: str, language: str | None = None, *, task: Task = "transcribe", memory_bytes: int | None = None
    ) -> Choice:
        return choose(
            requested,
            language=language,
            task=task,
            folders=(tmp_path / "models", tmp_path / "cache"),
            memory_bytes=memory_bytes,
        )

    return pick


def refused(pick: Callable[..., Choice], *asked: str | None, task: Task = "transcribe") -> JobError:
    with pytest.raises(JobError) as caught:
        pick(*asked, task=task)
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
    assert pick("auto", memory_bytes=10**8).engine == "moonshine"


def test_auto_without_whisper_is_the_model_that_comes_with_the_program(pick: Callable[..., Choice]) -> None:
    english, unknown = pick("auto", "en"), pick("auto")
    for choice in (english, unknown):
        assert (choice.engine, choice.model, choice.quality) == ("moonshine", "moonshine-tiny", "full")
        assert "Moonshine tiny" in choice.reason
        assert "English only" in choice.reason
        assert "models download base" in choice.reason
    assert (english.takes_for_english, unknown.takes_for_english) == (False, True)
    assert "nonsense" in unknown.reason
    assert "nonsense" not in english.reason


def test_auto_is_a_draft_that_says_so_where_that_model_lacks_too(
    pick: Callable[..., Choice], without_moonshine: None
) -> None:
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


@pytest.mark.parametrize(("asked", "engine"), [("pocketsphinx", "pocketsphinx"), ("moonshine-tiny", "moonshine")])
def test_what_comes_with_the_program_can_be_asked_for_by_name_and_is_english_only(
    pick: Callable[..., Choice], put: Put, asked: str, engine: str
) -> None:
    put("base")
    assert pick(asked, "en").engine == engine
    assert pick(asked).engine == engine
    error = refused(pick, asked, "sv")
    assert error.code == "language_unsupported"
    assert error.message.endswith("understands English only, not Swedish. Choose a Whisper model.")


def test_a_model_whose_package_is_not_installed_is_refused(
    pick: Callable[..., Choice], without_moonshine: None
) -> None:
    error = refused(pick, "moonshine-tiny", "en")
    assert error.code == "model_unavailable"
    assert "moonshine-voice" in error.message


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
    assert pick("auto").engine == "moonshine"
    assert "clockwork" in [each.name for each in known_models((tmp_path,))]


def test_the_form_shows_what_is_there(tmp_path: Path, put: Put) -> None:
    put("base")
    put("turbo-own").rename(tmp_path / "models" / "mine.pt")
    known = {each.name: each for each in known_models((tmp_path / "models", tmp_path / "cache"))}
    assert [name for name, each in known.items() if each.available] == [
        "base",
        "mine",
        "moonshine-tiny",
        "pocketsphinx",
    ]
    assert next(iter(known)) == "large-v3-turbo"
    assert known["base.en"].english_only
    assert known["moonshine-tiny"].english_only
    assert known["pocketsphinx"].quality == "draft"
    assert "draft" in known["pocketsphinx"].label


def converted_model(folder: Path, *, without: str = "") -> Path:
    """A folder that looks like a model of faster-whisper, which is all that choosing looks at."""
    folder.mkdir(parents=True)
    files = {"model.bin": model_bin(), "config.json": b"{}", "tokenizer.json": b"{}"}
    for name, content in {**files, "vocabulary.json": b"[]"}.items():
        if name != without:
            (folder / name).write_bytes(content)
    return folder


def test_of_one_size_faster_whisper_is_taken_and_of_two_the_larger(
    pick: Callable[..., Choice], put: Put, tmp_path: Path
) -> None:
    converted_model(tmp_path / "models" / "faster-whisper-base")
    put("base")
    assert (pick("auto").engine, pick("auto").model) == ("faster-whisper", "base")
    assert pick("base").engine == "faster-whisper"
    put("small")
    assert (pick("auto").engine, pick("auto").model) == ("openai-whisper", "small")


def test_an_engine_named_before_the_model_is_the_one_that_runs_it(
    pick: Callable[..., Choice], put: Put, tmp_path: Path
) -> None:
    converted_model(tmp_path / "models" / "faster-whisper-base")
    put("base")
    assert pick("openai-whisper/base").engine == "openai-whisper"
    assert pick("faster-whisper/base").engine == "faster-whisper"
    put("tiny")
    assert refused(pick, "faster-whisper/tiny").code == "model_unavailable"


def test_a_model_in_the_cache_of_the_hub_is_as_good(pick: Callable[..., Choice], tmp_path: Path) -> None:
    converted_model(tmp_path / "cache" / "models--Systran--faster-whisper-base" / "snapshots" / "0123")
    assert (pick("auto").engine, pick("auto").model) == ("faster-whisper", "base")
    assert pick("Systran/faster-whisper-base").model == "base"


def test_a_folder_that_lacks_a_file_is_passed_over_and_by_name_it_is_damaged(
    pick: Callable[..., Choice], put: Put, tmp_path: Path
) -> None:
    converted_model(tmp_path / "models" / "faster-whisper-small", without="tokenizer.json")
    put("tiny")
    assert pick("auto").model == "tiny"
    assert "damaged" in refused(pick, "small").message


@pytest.mark.parametrize("content", [model_bin()[:-1], model_bin()[:40], model_bin()[:20] + b"junk" * 99])
def test_a_model_that_is_cut_off_or_junk_is_passed_over_and_by_name_it_is_damaged(
    pick: Callable[..., Choice], put: Put, tmp_path: Path, content: bytes
) -> None:
    for name in ("faster-whisper-small", "mine", "KBLab--kb-whisper-small"):
        (converted_model(tmp_path / "models" / name) / "model.bin").write_bytes(content)
    put("tiny")
    assert pick("auto").model == "tiny"
    assert "download small`" in refused(pick, "small").message
    assert refused(pick, "mine").message == (
        "The folder of the Whisper model “mine” is damaged. Ask an administrator to replace it."
    )
    assert "damaged. Ask an administrator to run" in refused(pick, "KBLab/kb-whisper-small").message
    names = [each.name for each in known_models((tmp_path / "models",)) if each.available]
    assert names == ["tiny", "moonshine-tiny", "pocketsphinx"]


def test_distilled_models_serve_english_after_the_large_ones_and_before_medium(
    pick: Callable[..., Choice], tmp_path: Path
) -> None:
    converted_model(tmp_path / "models" / "faster-whisper-medium")
    converted_model(tmp_path / "models" / "faster-whisper-distil-large-v3.5")
    assert pick("auto", "en").model == "distil-large-v3.5"
    assert pick("auto", "sv").model == "medium"
    assert pick("auto").model == "medium", "which language it is, nobody knows yet"
    error = refused(pick, "distil-large-v3.5", "sv")
    assert (error.code, "“large-v3-turbo”" in error.message) == ("language_unsupported", True)
    converted_model(tmp_path / "models" / "faster-whisper-large-v3")
    assert pick("auto", "en").model == "large-v3"


def test_a_model_of_the_hub_or_of_an_administrator_is_known_by_its_name(
    pick: Callable[..., Choice], tmp_path: Path
) -> None:
    converted_model(tmp_path / "models" / "KBLab--kb-whisper-small")
    converted_model(tmp_path / "models" / "mine")
    assert (pick("KBLab/kb-whisper-small", "sv").engine, pick("mine", "sv").engine) == ("faster-whisper",) * 2
    assert pick("auto").engine == "moonshine", "what nobody knows is not chosen by itself"
    names = [each.name for each in known_models((tmp_path / "models",)) if each.available]
    assert names == ["KBLab/kb-whisper-small", "mine", "moonshine-tiny", "pocketsphinx"]


def test_auto_passes_over_what_can_not_translate(pick: Callable[..., Choice], put: Put, tmp_path: Path) -> None:
    converted_model(tmp_path / "models" / "faster-whisper-distil-large-v3")
    put("large-v3-turbo")
    put("medium.en")
    put("base")
    assert pick("auto", "en").model == "large-v3-turbo"
    for language in (None, "sv", "en"):
        choice = pick("auto", language, task="translate")
        assert (choice.engine, choice.model) == ("openai-whisper", "base")
        assert choice.reason == "Whisper “base” is the best model on this server that can translate."


def test_auto_where_nothing_can_translate_fails_and_says_what_to_do(pick: Callable[..., Choice], put: Put) -> None:
    put("large-v3-turbo")
    unknown, swedish, cantonese = (
        refused(pick, "auto", language, task="translate") for language in (None, "sv", "yue")
    )
    assert {unknown.code, swedish.code, cantonese.code} == {"model_unavailable"}
    assert unknown.message == (
        "No model on this server can translate. An administrator can get one with `manage.py models download base`."
    )
    assert "can translate Swedish. " in swedish.message
    assert "download large-v3`" in cantonese.message, "base knows no Cantonese"


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("turbo", "large-v3"),
        ("openai-whisper/large-v3-turbo", "large-v3"),
        ("base.en", "base"),
        ("distil-small.en", "small"),
        ("distil-large-v3.5", "large-v3"),
        ("pocketsphinx", "large-v3"),
        ("moonshine-tiny", "large-v3"),
    ],
)
def test_a_model_that_can_not_translate_is_refused_by_name_and_one_that_can_is_named(
    pick: Callable[..., Choice], put: Put, asked: str, other: str
) -> None:
    for language in (None, "en", "sv"):
        error = refused(pick, asked, language, task="translate")
        assert error.code == "language_unsupported", "nothing is to be downloaded for it"
        assert error.message.endswith(f"can't translate. Choose “{other}”.")
    put("tiny")
    assert refused(pick, asked, task="translate").message.endswith("Choose “tiny”."), "which is on this server"
    assert refused(pick, asked, "yue", task="translate").message.endswith("Choose “large-v3”.")


def test_a_named_model_that_can_translate_does_and_of_others_nobody_knows(
    pick: Callable[..., Choice], put: Put
) -> None:
    put("base").with_name("mine.pt").write_bytes(b"x")
    put("large-v2")
    assert pick("base", "sv", task="translate").model == "base"
    assert pick("mine", "sv", task="translate").model == "mine"
    assert refused(pick, "large-v2", "yue", task="translate").message.endswith("Choose “large-v3”.")
