"""Files that take longest begin first, so that no process of a run works alone at its end. xdist keeps the order with
`--no-loadscope-reorder`; by itself it begins with the files that have most tests, and the longest have few."""

from __future__ import annotations

import pytest

LONGEST = (
    "tests/look/test_axe.py",
    "tests/serve/test_fuzz.py",
    "tests/fuzz/test_fuzz.py",
    "tests/serve/test_transcribe.py",
    "tests/check/test_browser.py",
    "tests/acceptance/test_crash.py",
    "tests/hearing/test_survive.py",
    "tests/review/test_browser.py",
    "tests/live_page/test_speak.py",
    "tests/editor/test_edit.py",
    "tests/hearing/test_stream.py",
    "tests/hearing/test_refuse.py",
    "tests/hearing/test_send_away.py",
    "tests/sharing/test_browser.py",
    "tests/notes/test_browser.py",
    "tests/capture/test_record.py",
    "tests/serve/test_read.py",
    "tests/look/test_two_steps.py",
    "tests/pages/test_browser.py",
    "tests/serve/test_serve.py",
    "tests/acceptance/test_bad_input.py",
    "tests/speech/test_transcribe_with_pocketsphinx.py",
    "tests/editor/test_together.py",
    "tests/pages/test_look.py",
    "tests/accounts/test_browser.py",
    "tests/uploads/test_be_cut.py",
    "tests/mcp/test_serve.py",
    "tests/look/test_budget.py",
    "tests/enrichment/test_browser.py",
    "tests/enrichment/test_crash.py",
    "tests/speech/test_read_with_tiny_whisper.py",
    "tests/core/test_claim.py",
    "tests/serve/test_supervise.py",
)
PLACES = {name: place for place, name in enumerate(LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: PLACES.get(item.nodeid.partition("::")[0], len(LONGEST)))
