"""Every text is there in both languages, and every text that a script asks for is there at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import override

from tests.pages.conftest import CATALOGUE
from whisper_jobs.errors import FAILURES
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.web import texts

ROOT = Path(settings.BASE_DIR)
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
_IN_TEMPLATE = re.compile(r"""\{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
_IN_PYTHON = re.compile(r"""\b(?:_|gettext|gettext_lazy)\(\s*"((?:[^"\\]|\\.)+)"\s*\)""")
_PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")


@pytest.fixture(scope="module")
def swedish_texts() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="sv")


def used() -> set[str]:
    templates = "\n".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    code = "\n".join(
        path.read_text() for app in ("accounts", "whisper_jobs", "config") for path in (ROOT / app).rglob("*.py")
    )
    return {one or other for one, other in _IN_TEMPLATE.findall(templates)} | set(_IN_PYTHON.findall(code))


def test_every_text_of_pages_and_code_is_there_in_swedish(swedish_texts: Catalog) -> None:
    wanted = used() | set(FAILURES.values()) | set(LANGUAGES.values())
    assert len(wanted) > 200
    missing = {text for text in wanted if not (message := swedish_texts.get(text)) or not message.string}
    assert missing == set()


def test_translations_keep_their_places_and_tags(swedish_texts: Catalog) -> None:
    for message in swedish_texts:
        if message.id:
            assert sorted(_PLACE.findall(str(message.id))) == sorted(_PLACE.findall(str(message.string))), message.id
            assert not message.fuzzy


def test_scripts_ask_only_for_texts_that_exist_and_for_all_of_them() -> None:
    with override("en"):
        given = texts.for_scripts()
    code = "\n".join(path.read_text() for path in SCRIPTS)
    sentences = {key for key, value in given.items() if isinstance(value, str)}
    tables = set(given) - sentences
    assert set(re.findall(r'\btext\("(\w+)"', code)) <= sentences
    assert set(re.findall(r'\blabel\("(\w+)"', code)) == tables
    assert {key for key in sentences if f'"{key}"' not in code} == set()


def test_the_texts_of_scripts_are_swedish_for_a_swede() -> None:
    with override("sv"):
        given = texts.for_scripts()
    assert given["live_open"] == "Direkt"
    assert given["status"]["completed"] == "Klart"
    assert given["failures"][FAILURES["no_speech"]].startswith("Inget tal")
