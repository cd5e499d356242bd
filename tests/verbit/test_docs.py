"""docs/verbit.md says what the code does: its calls, formats, errors, failures and pauses."""

from __future__ import annotations

import re
from pathlib import Path

from whisper_jobs import callbacks, orders, resumable
from whisper_jobs.dialects.verbit import errors, requests, urls
from whisper_jobs.dialects.verbit.requests import MediaSerializer, NewSerializer, OptionsSerializer, StartSerializer
from whisper_jobs.speech.formats import FORMATS

TEXT = (Path(__file__).parents[2] / "docs" / "verbit.md").read_text()
MARKED = set(re.findall(r"`([^`]+)`", TEXT))


def test_every_call_and_every_parameter_is_told() -> None:
    calls = {str(one.pattern) for one in urls.urlpatterns} - {""}
    assert calls == {"new", "add_media", "perform_transcription", "info", "get_caption", "draft"}
    assert all(re.search(rf"^\| `(GET|POST) {call}` \|", TEXT, re.MULTILINE) for call in calls)
    for kind in (NewSerializer, MediaSerializer, StartSerializer, OptionsSerializer):
        assert set(kind().fields) <= MARKED, kind


def test_every_format_and_every_error_is_told() -> None:
    assert {*FORMATS, *requests._SAME_FORMATS} <= MARKED
    for status, kind in errors._WORDS.values():
        (row,) = re.findall(rf"^\| `{kind}` \| ([\d, ]+) \|", TEXT, re.MULTILINE)
        assert str(status) in row, (status, kind)


def test_the_figures_are_those_of_the_code() -> None:
    pauses = [pause.total_seconds() for pause in callbacks.STATUS_PAUSES]
    assert pauses == [5, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200]
    assert "5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 12 h and 12 h" in TEXT
    assert (orders.FILE_LIFETIME.days, orders.PENDING_LIFETIME.days) == (7, 30)
    assert "waits a week" in TEXT and "not started for 30 days" in TEXT
    assert f"at most {orders.MOST_PENDING} such jobs, and {resumable.MOST_WAITING} such files" in TEXT
