"""The command that lets the search find what is older than it."""

from __future__ import annotations

import threading
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from tests.core.play import Stage
from tests.library.conftest import Find, Recording
from whisper_jobs import indexing, lifecycle, search, tagging, tasks
from whisper_jobs.management.commands import reindex
from whisper_jobs.models import Job, Passage, Segment


def test_recordings_without_an_index_get_one(
    recording: Recording, find: Find, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "BATCH", 2)
    for number in range(5):
        recording(alice, f"Talk {number}", ["hello"])
    Passage.objects.all().delete()
    assert find(alice, "hello") == []
    said = StringIO()
    call_command("reindex", stdout=said)
    assert len(find(alice, "hello")) == 5
    assert "5 recordings are indexed" in said.getvalue()


def test_what_is_known_is_left_unless_all_is_asked_for(recording: Recording, find: Find, alice: User) -> None:
    job = recording(alice, "Talk", ["hello"])
    Segment.objects.filter(job=job).update(text="changed")
    call_command("reindex", stdout=StringIO())
    assert find(alice, "changed") == []
    call_command("reindex", "--all", stdout=StringIO())
    assert find(alice, "changed") == ["Talk"]


@pytest.fixture
def _started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has just started, and takes recordings one by one."""
    monkeypatch.setattr(tasks, "_all_known", threading.Event())
    monkeypatch.setattr(indexing, "catch_up", partial(indexing.catch_up, seconds=0.0))


@pytest.mark.usefixtures("_started")
def test_older_recordings_are_found_by_themselves_the_newest_first(
    recording: Recording, find: Find, alice: User
) -> None:
    for number in range(3):
        recording(alice, f"Talk {number}", ["hello"])
    Passage.objects.all().delete()
    found = []
    for _turn in range(3):
        tasks.index()
        found.append(find(alice, "hello"))
    assert found == [["Talk 2"], ["Talk 1", "Talk 2"], ["Talk 0", "Talk 1", "Talk 2"]]


@pytest.mark.usefixtures("_started", "alice")
def test_where_all_is_known_nothing_is_asked_any_more(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        tasks.index()
    with django_assert_num_queries(0):
        tasks.index()


@pytest.mark.usefixtures("_started")
def test_one_that_cannot_be_indexed_does_not_keep_others_from_it(
    recording: Recording, find: Find, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording(alice, "Good", ["hello"])
    bad = recording(alice, "Bad", ["hello"])
    Passage.objects.all().delete()
    reindex_one = search.reindex

    def fails_for_bad(job: Job) -> None:
        if job == bad:
            raise ValueError("bad")
        reindex_one(job)

    monkeypatch.setattr(search, "reindex", fails_for_bad)
    tasks.index()
    assert find(alice, "hello") == ["Good"]


@pytest.mark.usefixtures("_started")
def test_a_tag_that_comes_before_its_turn_does_not_keep_a_recording_from_it(
    recording: Recording, find: Find, alice: User
) -> None:
    job = recording(alice, "Talk", ["hello"])
    Passage.objects.all().delete()
    tagging.put_on(alice, tagging.called(alice, ["mine"]), [job.pk])
    tasks.index()
    assert find(alice, "hello mine") == ["Talk"]


def test_a_job_is_found_by_its_words_when_it_completes(stage: Stage, find: Find, alice: User) -> None:
    stage.completed(alice)
    assert find(alice, "window0 window1 talk") == ["Talk"]


def test_a_crash_while_assembling_leaves_nothing_half_indexed(
    stage: Stage, find: Find, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.decoded(alice, 1)
    stage.hear(stage.run("speech"))
    run = stage.run("deliver")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(search, "_write_heads", dies)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.finish_assemble(run, text="x", speaker_text="", coverage={})
    assert find(alice, "window0") == []
    stage.assemble(run)
    assert find(alice, "window0") == ["Talk"]
