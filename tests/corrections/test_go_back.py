"""Taking a correction back, doing it again, and going back to a version."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.play import Stage
from tests.corrections.conftest import SAID, Editor, rows_of
from whisper_jobs import diarization, gaps
from whisper_jobs.models import Correction, Job, Transcript, TranslatedSegment, Translation
from whisper_jobs.runs import Run
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.diarizers.assign import assign
from whisper_jobs.speech.diarizers.base import Turn
from whisper_jobs.speech.transcript import Segment as Spoken

ALL = [text for _start, _end, text in SAID]


def meaning(editor: Editor, **query: Any) -> list[Any]:
    """The segments without what changes with every write."""
    return [{**one, "revision": None} for one in editor.segments(**query)]


CHANGES = ("text", "split", "merge", "insert", "delete", "times", "speaker", "replace", "check")


def change(editor: Editor, kind: str) -> dict[str, Any]:
    one, two = editor.ref(0), editor.ref(1)
    fields: dict[str, Any] = {
        "text": {"segment": one, "text": "Changed."},
        "split": {"segment": one, "at": 3},
        "merge": {"segments": [one, two]},
        "insert": {"start": 2.0, "end": 2.5, "text": "Well,", "speaker": "SPEAKER_00"},
        "delete": {"segments": [one]},
        "times": {"segments": [{**one, "start": 0.5, "end": 1.0}]},
        "speaker": {"segments": [one, two], "speaker": "SPEAKER_00"},
        "replace": {"find": "e", "replace": "ee"},
        "check": {"segments": [one], "checked": True},
    }
    return editor.make(kind, **fields[kind])


@pytest.mark.parametrize("kind", CHANGES)
def test_each_kind_is_taken_back_and_done_again(editor: Editor, kind: str) -> None:
    before = meaning(editor)
    change(editor, kind)
    after = meaning(editor)
    assert after != before
    editor.make("undo", number=1)
    assert meaning(editor) == before
    editor.make("undo", number=2)
    assert meaning(editor) == after
    log = editor.client.get(f"{editor.url}/corrections").json()["corrections"]
    assert [(one["of_number"], one["undone_by"]) for one in log] == [(None, None), (1, 3), (2, None)]


@pytest.mark.parametrize("kind", CHANGES)
def test_version_0_is_read_and_restored_after_each_kind(editor: Editor, kind: str) -> None:
    before = meaning(editor)
    change(editor, kind)
    after = meaning(editor)
    assert meaning(editor, version=0) == before
    assert meaning(editor, version=1) == after
    editor.make("restore", number=0)
    assert meaning(editor) == before
    editor.make("undo", number=2)
    assert meaning(editor) == after


def test_names_of_speakers_are_taken_back_one_by_one(editor: Editor) -> None:
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speaker", segments=[editor.ref(1)], speaker="SPEAKER_01")
    editor.make("speakers", rename={"SPEAKER_00": "Ada"})
    editor.make("speakers", rename={"SPEAKER_01": "Bo"})
    made = editor.make("undo", number=3)
    assert [one["name"] for one in made["speakers"]] == [None, "Bo"]
    editor.make("speakers", rename={"SPEAKER_01": "Beate"})
    assert editor.post("undo", number=4).status_code == 409


def test_speakers_that_became_one_are_two_again(editor: Editor) -> None:
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speaker", segments=[editor.ref(1)], speaker="SPEAKER_01")
    editor.make("speakers", merge={"from": ["SPEAKER_00"], "into": "SPEAKER_01"})
    made = editor.make("undo", number=3)
    assert [one["label"] for one in made["speakers"]] == ["SPEAKER_00", "SPEAKER_01"]
    assert [one["speaker"] for one in editor.segments()] == ["SPEAKER_00", "SPEAKER_01", None]


def test_what_a_later_correction_stands_on_is_not_taken_back(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(0), text="One.")
    editor.make("text", segment=editor.ref(0), text="Two.")
    answer = editor.post("undo", number=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert [one["text"] for one in answer.json()["segments"]] == ["Two."]
    editor.make("undo", number=2)
    editor.make("undo", number=1)
    assert editor.texts() == ALL
    assert editor.post("undo", number=1).status_code == 409


def test_an_undo_in_between_is_not_jumped_over(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(0), text="One.")
    editor.make("text", segment=editor.ref(0), text="Two.")
    editor.make("undo", number=2)
    editor.make("undo", number=1)
    assert editor.post("undo", number=3).status_code == 409
    assert editor.texts() == ALL


def test_corrections_of_other_places_stay(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(0), text="One.")
    editor.make("text", segment=editor.ref(1), text="Two.")
    editor.make("undo", number=1)
    assert editor.texts() == [ALL[0], "Two.", ALL[2]]


@pytest.mark.parametrize(("kind", "number"), [("undo", 7), ("restore", 7), ("undo", 0)])
def test_what_there_never_was_is_refused(editor: Editor, kind: str, number: int) -> None:
    answer = editor.post(kind, number=number)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["number"])


def test_the_newest_version_is_not_restored(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(0), text="One.")
    answer = editor.post("restore", number=1)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["number"])
    assert Correction.objects.count() == 1


def test_every_version_is_read_and_restored(editor: Editor) -> None:
    seen = [meaning(editor)]
    for kind in CHANGES:
        change(editor, kind)
        seen.append(meaning(editor))
    for number, then in enumerate(seen):
        assert meaning(editor, version=number) == then, number
    for number in (3, 0, len(seen) - 1):
        editor.make("restore", number=number)
        assert meaning(editor) == seen[number], number
    assert editor.client.get(f"{editor.url}/segments", {"version": 99}).json()["code"] == "no_such_version"


def test_a_version_is_read_a_page_at_a_time(editor: Editor) -> None:
    editor.make("delete", segments=[editor.ref(0)])
    told = editor.client.get(f"{editor.url}/segments", {"version": 0, "limit": 2}).json()
    assert ([one["text"] for one in told["segments"]], told["next"]) == (ALL[:2], 2)
    assert editor.texts(version=0, limit=2, offset=2) == ALL[2:]


def test_a_place_in_its_step_that_is_taken_again_does_not_matter(editor: Editor) -> None:
    """The row that is deleted had the last place, which the next one gets."""
    editor.make("insert", start=1.0, end=1.5, text="First.")
    editor.make("delete", segments=[editor.ref(1)])
    editor.make("insert", start=1.0, end=1.5, text="Second.")
    editor.make("undo", number=2)
    assert sorted(editor.texts()[1:3]) == ["First.", "Second."]


# --- translations ---------------------------------------------------------------------------------


def translate(job: Job) -> Translation:
    row = Translation.objects.create(job=job, language="sv", index=0, state="done", text="gammal")
    for place, segment in enumerate(rows_of(job)):
        TranslatedSegment.objects.create(translation=row, segment=segment, text=f"Mening {place}.")
    return row


def swedish(editor: Editor) -> list[str]:
    return editor.texts(language="sv")


def test_translations_follow_segments_and_come_back(editor: Editor, talk: Job) -> None:
    translate(talk)
    editor.make("merge", segments=[editor.ref(0), editor.ref(1)])
    assert swedish(editor) == ["Mening 0. Mening 1.", "Mening 2."]
    editor.make("undo", number=1)
    assert swedish(editor) == ["Mening 0.", "Mening 1.", "Mening 2."]
    editor.make("split", segment=editor.ref(0), at=3)
    assert swedish(editor) == ["Mening 0.", "Mening 1.", "Mening 2."]
    editor.make("delete", segments=[editor.ref(2)])
    editor.make("restore", number=0)
    assert swedish(editor) == ["Mening 0.", "Mening 1.", "Mening 2."]


def test_the_text_of_a_translation_follows_too(editor: Editor, talk: Job) -> None:
    translate(talk)
    editor.make("delete", segments=[editor.ref(0)])
    [told] = editor.client.get(editor.url).json()["job"]["translations"]
    assert told["text"] == "Mening 1. Mening 2."


# --- what steps of the job do ---------------------------------------------------------------------

TURNS = (Turn(0.0, 1.0, "SPEAKER_00"), Turn(1.0, 9.0, "SPEAKER_01"))


def tell_apart(stage: Stage, job: Job, *, seen: list[Any] | None = None) -> None:
    """The step has seen the segments `seen`, or as they are."""
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    run = stage.run("speech")
    rows = seen or rows_of(job)
    parts = dict(zip([row.pk for row in rows], assign([spoken(row) for row in rows], TURNS), strict=True))
    stage.diarize(run, reason="2 speakers were told apart.", turns=TURNS, parts=parts)


def test_speakers_are_told_apart_in_a_corrected_transcript(stage: Stage, editor: Editor, talk: Job) -> None:
    editor.make("text", segment=editor.ref(1), text="There is no agenda.")
    corrected = meaning(editor)
    tell_apart(stage, talk)
    assert editor.texts() == ["We meet", "at noon.", "There is no agenda.", ALL[2]]
    assert meaning(editor, version=1) == corrected
    assert editor.texts(version=0) == ALL
    editor.make("restore", number=1)
    assert meaning(editor) == corrected
    assert Correction.objects.get(number=2).author is None


def test_what_is_corrected_while_speakers_are_told_apart_stays(stage: Stage, editor: Editor, talk: Job) -> None:
    seen = rows_of(talk)
    editor.make("text", segment=editor.ref(0), text="We never meet at noon.")
    editor.make("delete", segments=[editor.ref(2)])
    editor.make("insert", start=7.0, end=8.0, text="Lunch.")
    tell_apart(stage, talk, seen=seen)
    assert " ".join(editor.texts()) == f"We never meet at noon. {ALL[1]} Lunch."
    assert editor.segments()[-1]["speaker"] == "SPEAKER_01"
    assert editor.texts(version=0) == ALL


def test_names_go_on_to_the_same_voices(stage: Stage, editor: Editor, talk: Job) -> None:
    tell_apart(stage, talk)
    editor.make("speakers", rename={"SPEAKER_01": "Ada"})
    editor.make("speakers", colour={"SPEAKER_01": 4})
    diarization.request_diarization(talk.pk, min_speakers=None, max_speakers=None)
    other = [Turn(turn.start, turn.end, {"SPEAKER_00": "SPEAKER_01"}.get(turn.speaker, "SPEAKER_00")) for turn in TURNS]
    rows = rows_of(talk)
    parts = dict(zip([row.pk for row in rows], assign([spoken(row) for row in rows], other), strict=True))
    stage.diarize(stage.run("speech"), turns=other, parts=parts)
    named = {
        one["label"]: one["name"] for one in editor.client.get(editor.url).json()["job"]["diarization"]["speakers"]
    }
    assert named == {"SPEAKER_01": None, "SPEAKER_00": "Ada"}


def refill(stage: Stage, job: Job, *said: Spoken) -> None:
    Job.objects.filter(pk=job.pk).update(stage="completed")
    Transcript.objects.filter(job=job).update(coverage={"gaps": [{"start": 8.5, "end": 9.5}]})
    gaps.request_refill(job.pk)
    run: Run = stage.run("speech")
    gaps.add_filled(run, said, until=9.5)
    gaps.finish_refill(run)


def test_gaps_that_are_filled_are_gone_in_the_versions_before(stage: Stage, editor: Editor, talk: Job) -> None:
    editor.make("text", segment=editor.ref(1), text="There is no agenda.")
    refill(stage, talk, Spoken(8.6, 9.4, "Bye."))
    assert editor.texts() == [ALL[0], "There is no agenda.", ALL[2], "Bye."]
    assert editor.texts(version=1) == [ALL[0], "There is no agenda.", ALL[2]]
    assert editor.texts(version=0) == ALL
    editor.make("undo", number=1)
    assert editor.texts() == [*ALL, "Bye."]


def test_gaps_that_are_filled_before_any_correction_are_the_engines(stage: Stage, editor: Editor, talk: Job) -> None:
    refill(stage, talk, Spoken(8.6, 9.4, "Bye."))
    assert not Correction.objects.exists()
    assert editor.texts(version=0) == [*ALL, "Bye."]


def test_speakers_that_became_one_stay_so_when_more_is_heard(stage: Stage, editor: Editor, talk: Job) -> None:
    tell_apart(stage, talk)
    editor.make("speakers", merge={"from": ["SPEAKER_01"], "into": "SPEAKER_00"})
    refill(stage, talk, Spoken(8.6, 9.4, "Bye.", speaker="SPEAKER_01"))
    assert {one["speaker"] for one in editor.segments()} == {"SPEAKER_00"}
