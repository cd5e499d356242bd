"""What people and tools write for a language → Whisper's code."""

from __future__ import annotations

import pytest

from whisper_jobs.errors import JobError
from whisper_jobs.speech.languages import LANGUAGES, name_of, normalise


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en-US", "en"),
        ("English", "en"),
        ("EN", "en"),
        ("eng", "en"),
        ("pt_BR", "pt"),
        ("zh-Hant-TW", "zh"),
        ("Haitian Creole", "ht"),
        ("nb-NO", "no"),
        (" yue ", "yue"),
    ],
)
def test_a_language_is_known_by_code_name_and_tag(written: str, code: str) -> None:
    assert normalise(written) == code


@pytest.mark.parametrize("written", [None, "", "  ", "auto", "AUTO"])
def test_nothing_or_auto_means_find_out(written: str | None) -> None:
    assert normalise(written) is None


def test_an_unknown_language_is_refused_and_quoted() -> None:
    with pytest.raises(JobError, match="Klingon") as refused:
        normalise("Klingon")
    assert refused.value.code == "language_unsupported"


@pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")
def test_the_table_is_the_libraries_own() -> None:
    from whisper.tokenizer import LANGUAGES as THEIRS
    from whisper.tokenizer import TO_LANGUAGE_CODE

    assert {code: name.casefold() for code, name in LANGUAGES.items()} == THEIRS
    assert list(LANGUAGES) == list(THEIRS), "the order says which languages a smaller vocabulary has"
    assert {name: normalise(name) for name in TO_LANGUAGE_CODE} == TO_LANGUAGE_CODE


def test_a_code_has_an_english_name() -> None:
    assert (name_of("sv"), name_of("xx"), name_of(None)) == ("Swedish", "xx", "")
