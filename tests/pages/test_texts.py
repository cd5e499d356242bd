"""Every text is there in both languages, and every text that a script asks for is there at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import override
from django.utils.translation.template import templatize

from tests.pages.conftest import CATALOGUE
from whisper_jobs import told
from whisper_jobs.errors import FAILURES
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.web import check_page, editor_texts, speaker_forms, texts

ROOT = Path(settings.BASE_DIR)
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
APPS = ("accounts", "config", "sharing", "whisper_jobs")
#: Where a context or a plural stands among the arguments of each function.
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), (1,)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
#: What makes a step's or a job's error, or a line of the runtime log.
TELLING = {"JobError", "OutboundRefused", "log", "_show"}
_PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")

#: Singular, plural (or nothing) and context.
Text = tuple[str, str, str]


def sources() -> Iterator[tuple[Path, str]]:
    """Python as it is, templates and mails as the Python that Django makes of them."""
    for path in chain.from_iterable((ROOT / app).rglob("*.py") for app in APPS):
        yield path, path.read_text()
    for path in (path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")):
        lines = templatize(path.read_text(), origin=str(path)).splitlines()
        yield path, "\n".join(line.lstrip() for line in lines)


def used(source: str) -> Iterator[Text]:
    for _line, message, _comments, context in extract("python", BytesIO(source.encode()), keywords=KEYWORDS):
        one, many = message if isinstance(message, tuple) else (message, "")
        yield one, many, context or ""


@pytest.fixture(scope="module")
def swedish_texts() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="sv")


@pytest.fixture(scope="module")
def wanted() -> set[Text]:
    with override("sv"):
        plain = {*told.table(), *LANGUAGES.values()}
    marked = {text for _path, source in sources() for text in used(source)}
    return marked | {(text, "", "") for text in plain}


def both(message: Message) -> tuple[list[str], list[str]]:
    """In English and in Swedish; several where there is a plural."""
    english, swedish = ([text] if isinstance(text, str) else list(text or ()) for text in (message.id, message.string))
    return english, swedish


def test_every_text_of_pages_mails_and_code_is_there_in_swedish(swedish_texts: Catalog, wanted: set[Text]) -> None:
    assert len(wanted) > 700
    missing = set()
    for one, many, context in wanted:
        message = swedish_texts.get(one, context or None)
        english, swedish = both(message) if message else ([], [])
        if english != [one, many][: 2 if many else 1] or not all(swedish) or len(swedish) != len(english):
            missing.add((one, many, context))
    assert missing == set()


def test_no_translation_is_of_a_text_that_is_gone(swedish_texts: Catalog, wanted: set[Text]) -> None:
    known = {(one, context) for one, _many, context in wanted}
    kept = {(both(message)[0][0], message.context or "") for message in swedish_texts if message.id}
    assert kept - known == set()
    assert swedish_texts.obsolete == {}


def test_translations_keep_their_places_and_tags(swedish_texts: Catalog) -> None:
    for message in (message for message in swedish_texts if message.id):
        english, swedish = both(message)
        for one, other in zip(english, swedish, strict=True):
            assert sorted(_PLACE.findall(one)) == sorted(_PLACE.findall(other)), one
        assert not message.fuzzy


def shape(text: str) -> str:
    """The names of places don't count: told.py calls them otherwise than the code that fills them."""
    return re.sub(r"\{[^{}]*\}", "{}", text)


def sentence_of(node: ast.expr) -> str:
    """A text that stands there, with {} for what is put into it; nothing for what comes from elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def told_in_code() -> Iterator[str]:
    for path in chain.from_iterable((ROOT / app).rglob("*.py") for app in ("sharing", "whisper_jobs")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in TELLING:
                yield from (text for each in node.args if " " in (text := sentence_of(each)))


def test_all_that_jobs_tell_of_themselves_can_be_told_in_swedish() -> None:
    told_there = {text for text in told_in_code() if text.endswith(".")}
    assert len(told_there) > 50
    with override("sv"):
        known = {shape(text) for text in told.table()}
    assert told_there - known == set()


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("The media is downloaded.", "Inspelningen är hämtad."),
        ("Transcribing.", "Transkriberar."),
        ("The name example.invalid could not be found.", "Namnet example.invalid kunde inte hittas."),
        (
            "The media server answered with error 503. Trying again in 30 s.",
            "Servern med inspelningen svarade med fel 503. Försöker igen om 30 s.",
        ),
        ("Download: The file at this address is empty.", "Ladda ner: Filen på adressen är tom."),
        ("12 of 40 MB", "12 of 40 MB"),
        ("", ""),
    ],
)
def test_what_a_job_tells_of_itself_is_swedish_for_a_swede(stored: str, shown: str) -> None:
    with override("sv"):
        assert told.in_words_of_the_reader(stored) == shown
    with override("en"):
        assert told.in_words_of_the_reader(stored) == stored


def test_scripts_ask_only_for_texts_that_exist_and_for_all_of_them() -> None:
    with override("en"):
        given = {**texts.for_scripts(), **editor_texts.own(), **check_page.own(), **speaker_forms.own()}
    code = "\n".join(path.read_text() for path in SCRIPTS)
    sentences = {key for key, value in given.items() if isinstance(value, str)}
    tables = set(given) - sentences - {"told"}
    assert set(re.findall(r'\btext\("(\w+)"', code)) <= sentences
    assert set(re.findall(r'\blabel\("(\w+)"', code)) == tables
    assert {key for key in sentences if f'"{key}"' not in code} == set()


def test_the_texts_of_scripts_are_swedish_for_a_swede() -> None:
    with override("sv"):
        given = texts.for_scripts()
    assert given["live_open"] == "Direkt"
    assert given["status"]["completed"] == "Klart"
    assert given["told"][FAILURES["no_speech"]].startswith("Inget tal")


def test_scripts_carry_nothing_twice_for_those_who_read_english() -> None:
    with override("en"):
        assert texts.for_scripts()["told"] == {}
