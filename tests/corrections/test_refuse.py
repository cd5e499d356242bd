"""What can't be accepted is refused with a sentence, whatever somebody makes up; and what may be strange is kept as it is."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.corrections.conftest import SAID, Editor
from whisper_jobs.dialects.native.correction_requests import MOST_BYTES, MOST_SEGMENTS
from whisper_jobs.models import Correction

ALL = [text for _start, _end, text in SAID]


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("text", {"text": "x"}, "segment"),
        ("text", {"segment": {"id": 1}, "text": "x"}, "segment"),
        ("text", {"segment": {"id": "x", "revision": 1}, "text": "x"}, "segment"),
        ("text", {"segment": {"id": 10**30, "revision": 1}, "text": "x"}, "segment"),
        ("text", {"segment": {"id": 1, "revision": 1}, "text": "x" * 20_001}, "text"),
        ("text", {"segment": {"id": 1, "revision": 1}, "text": {"a": 1}}, "text"),
        ("split", {"segment": {"id": 1, "revision": 1}, "at": -1}, "at"),
        ("merge", {"segments": [{"id": 1, "revision": 1}]}, "segments"),
        ("merge", {"segments": [{"id": 1, "revision": 1}] * 2}, "segments"),
        ("insert", {"start": "NaN", "end": 2, "text": "x"}, "start"),
        ("insert", {"start": 2, "end": 1, "text": "x"}, "end"),
        ("delete", {"segments": []}, "segments"),
        ("delete", {"segments": "all"}, "segments"),
        ("delete", {"segments": [{"id": at + 1, "revision": 1} for at in range(MOST_SEGMENTS + 1)]}, "segments"),
        ("times", {"segments": [{"id": 1, "revision": 1}]}, "segments"),
        ("speaker", {"segments": [{"id": 1, "revision": 1}]}, "speaker"),
        ("speakers", {}, "rename"),
        ("speakers", {"rename": {"A": "b"}, "colour": {"A": 1}}, "rename"),
        ("speakers", {"colour": {"A": 12}}, "colour"),
        ("speakers", {"merge": {"from": [], "into": "A"}}, "merge"),
        ("replace", {"find": "", "replace": "x"}, "find"),
        ("replace", {"find": "x" * 501, "replace": "x"}, "find"),
        ("check", {"segments": [{"id": 1, "revision": 1}], "checked": "perhaps"}, "checked"),
        ("undo", {}, "number"),
        ("restore", {"number": -1}, "number"),
        ("dance", {}, "kind"),
    ],
)
def test_what_makes_no_sense_is_refused(editor: Editor, kind: str, fields: dict[str, Any], wrong: str) -> None:
    answer = editor.post(kind, **fields)
    assert answer.status_code == 422, answer.content
    assert list(answer.json()["errors"]) == [wrong]
    assert not Correction.objects.exists()


@pytest.mark.parametrize("body", ["[]", "3", '"x"', "null", "{", "[" * 100_000])
def test_what_is_no_object_is_refused(editor: Editor, body: str) -> None:
    answer = editor.client.post(f"{editor.url}/corrections", body, content_type="application/json")
    assert answer.status_code == 422


def test_a_request_without_a_name_of_its_own_is_refused(editor: Editor) -> None:
    answer = editor.post("restore", number=0, request_id="mine")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["request_id"])


def test_a_body_that_is_too_large_is_refused(editor: Editor) -> None:
    answer = editor.post("text", segment=editor.ref(0), text="x" * MOST_BYTES)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b\x1b[31m", "ab[31m"),
        ("\ud800half", "half"),
        ("two\nlines\tand  more ", "two lines and more"),
        ("שלום <script>alert(1)</script> 👩‍🚀", "שלום <script>alert(1)</script> 👩‍🚀"),
        ("\u202eturned", "\u202eturned"),
        ("", ""),
    ],
)
def test_texts_are_kept_but_for_what_no_database_stores(editor: Editor, text: str, kept: str) -> None:
    body = f'{{"request_id": "{uuid4()}", "kind": "text", "segment": {{"id": %d, "revision": %d}}, "text": %s}}'
    ref = editor.ref(0)
    answer = editor.client.post(
        f"{editor.url}/corrections",
        body % (ref["id"], ref["revision"], json.dumps(text)),
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    assert editor.texts()[0] == kept
    assert editor.texts(version=0) == ALL


def test_names_and_searches_with_strange_characters_do_no_harm(editor: Editor) -> None:
    assert editor.post("speaker", segments=[editor.ref(0)], speaker="\0").status_code in (201, 422)
    assert editor.post("speakers", rename={"\0": "x"}).status_code == 422
    body = {"find": "\0(", "replace": "\0"}
    assert editor.client.post(f"{editor.url}/corrections/preview", body, format="json").status_code in (200, 422)
    assert editor.post("replace", find="(", replace="[").status_code == 422


def test_two_hundred_speakers_are_possible(editor: Editor) -> None:
    for at in range(0, 200, 50):
        editor.make("speaker", segments=[editor.ref(0)], speaker=f"SPEAKER_{at}" if at else "SPEAKER_00")
    assert editor.post("speakers", rename={f"SPEAKER_{at}": "x" for at in range(1, 200)}).status_code == 422


def test_typing_has_a_count_of_its_own(editor: Editor, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOOLS = replace(settings.TOOLS, api_per_minute=2)
    monkeypatch.setattr(time, "time", lambda: 1_000_000_020.0)
    log = f"{editor.url}/corrections"
    assert [editor.client.get(log).status_code for _ in range(7)] == [200] * 6 + [429]
    assert [editor.client.get("/api/whisper/status").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("kind", ["text", "split", "merge", "insert", "times", "speakers", "replace", "check", "undo"])
def test_a_form_is_read_or_refused(editor: Editor, kind: str) -> None:
    """Clients that can't send JSON get a sentence."""
    ref, name = editor.ref(0), str(uuid4())
    form = {"request_id": name, "kind": kind, "segments[0]id": ref["id"], "rename[a]": "b", "merge": "x", "find": "a"}
    assert editor.client.post(f"{editor.url}/corrections", form, format="multipart").status_code == 422


@pytest.mark.parametrize("path", ["corrections", "corrections/preview"])
def test_a_replacement_that_makes_a_segment_too_long_is_refused(editor: Editor, path: str) -> None:
    editor.make("insert", start=9.0, end=10.0, text="a" * 20_000)
    body = {"request_id": str(uuid4()), "kind": "replace", "find": "a", "replace": "b" * 500}
    answer = editor.client.post(f"{editor.url}/{path}", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["replace"])
