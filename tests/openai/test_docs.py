"""docs/openai.md names every field, every format and every code."""

from __future__ import annotations

import re

from tests.serve.servers import ROOT
from whisper_jobs.dialects.openai import errors, fields, models_list

PAGE = (ROOT / "docs" / "openai.md").read_text()
NAMED = {name.removesuffix("[]") for name in re.findall(r"`([\w\-.\[\]]+)`", PAGE)}


def test_all_that_can_be_sent_is_described() -> None:
    assert set(fields.TranscriptionSerializer().fields) <= NAMED
    assert {*fields.FORMATS, *fields.STREAMED, *models_list.OPENAI} <= NAMED


def test_all_codes_that_a_caller_can_do_something_about_are_described() -> None:
    of_kinds = {code for status, _kind, code in errors._KINDS.values() if code and status in (401, 403, 404, 413, 429)}
    of_failures = {code for status, _kind, code, _param in errors._FAILURES.values() if status < 500}
    assert (of_kinds | of_failures | set(errors._OF_FIELDS.values())) - {"no_speech", "invalid_type"} <= NAMED
