"""What the description says of corrections is what is answered."""

from __future__ import annotations

from tests.corrections.conftest import Editor
from tests.native.test_describe import _check as check
from whisper_jobs.models import Job


def test_answers_have_the_shapes_that_are_described(editor: Editor, talk: Job) -> None:
    ref = editor.ref(0)
    check(editor.post("text", segment=ref, text="One.").json(), "CorrectionAnswer")
    check(editor.post("speaker", segments=[editor.ref(1)], speaker="SPEAKER_00").json(), "CorrectionAnswer")
    check(editor.post("speakers", colour={"SPEAKER_00": 3}).json(), "CorrectionAnswer")
    check(editor.post("delete", segments=[ref]).json(), "Conflict")
    log = editor.client.get(f"{editor.url}/corrections?before=1").json()
    assert len(log["corrections"]) == 3
    check(log, "CorrectionsAnswer")
    body = {"find": "e", "replace": "x"}
    check(editor.client.post(f"{editor.url}/corrections/preview", body, format="json").json(), "PreviewAnswer")
    check(editor.client.get(editor.url).json(), "JobAnswer")
    check(editor.client.get(f"{editor.url}/segments").json(), "SegmentsAnswer")
    Job.objects.filter(pk=talk.pk).update(stage="failed")
    check(editor.post("restore", number=0).json(), "Conflict")
