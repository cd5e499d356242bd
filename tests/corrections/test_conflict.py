"""Two people at the same transcript: nobody's change is lost, and the second one is shown what the first has made."""

from __future__ import annotations

from tests.corrections.conftest import SAID, Editor
from whisper_jobs.models import Correction, Job


def test_the_second_one_is_shown_what_the_first_has_made(editor: Editor, colleague: Editor) -> None:
    ref = colleague.ref(0)
    editor.make("text", segment=editor.ref(0), text="We meet at one.")
    answer = colleague.post("text", segment=ref, text="We met at noon.")
    told = answer.json()
    assert (answer.status_code, told["code"], told["version"], told["removed"]) == (409, "conflict", 1, [])
    assert told["error"] == told["message"]
    assert [one["text"] for one in told["segments"]] == ["We meet at one."]
    assert editor.texts()[0] == "We meet at one."
    assert Correction.objects.count() == 1


def test_a_segment_that_is_gone_is_told(editor: Editor, colleague: Editor) -> None:
    one, two = colleague.ref(0), colleague.ref(1)
    editor.make("delete", segments=[editor.ref(0)])
    told = colleague.post("merge", segments=[one, two]).json()
    assert told["code"] == "conflict"
    assert told["removed"] == [one["id"]]
    assert [row["text"] for row in told["segments"]] == [SAID[1][2]]


def test_two_places_are_corrected_side_by_side(editor: Editor, colleague: Editor) -> None:
    one, two = editor.ref(0), colleague.ref(1)
    editor.make("text", segment=one, text="Here.")
    colleague.make("text", segment=two, text="There.")
    assert editor.texts()[:2] == ["Here.", "There."]


def test_segments_of_another_recording_are_not_there(editor: Editor, talk: Job) -> None:
    answer = editor.post("text", segment={"id": 999_999, "revision": 1}, text="x")
    assert (answer.status_code, answer.json()["removed"]) == (409, [999_999])


def test_there_is_nothing_to_correct_before_the_transcript(editor: Editor, talk: Job) -> None:
    Job.objects.filter(pk=talk.pk).update(stage="transcribing")
    answer = editor.post("text", segment=editor.ref(0), text="x")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_a_job_that_waits_for_approval_is_corrected(editor: Editor, talk: Job) -> None:
    Job.objects.filter(pk=talk.pk).update(stage="reviewing")
    editor.make("text", segment=editor.ref(0), text="Better.")
    assert editor.texts()[0] == "Better."
