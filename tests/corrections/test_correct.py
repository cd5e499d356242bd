"""One correction of each kind, and what the transcript says after it."""

from __future__ import annotations

from uuid import uuid4

from tests.corrections.conftest import SAID, Editor, rows_of
from whisper_jobs.models import Correction, Diarization, Job

ALL = [text for _start, _end, text in SAID]
#: Is no enrolled speaker.
NOBODY = {"speaker_id": None, "recognised": False}


def test_a_new_text_keeps_the_times_of_the_words_that_stay(editor: Editor) -> None:
    made = editor.make("text", segment=editor.ref(1), text="There is really no agenda.")
    [one] = made["segments"]
    assert one["text"] == "There is really no agenda."
    assert [(word["word"], word["start"], word["end"]) for word in one["words"]] == [
        ("There", 3.0, 3.5),
        ("is", 3.5, 4.0),
        ("really", 4.0, 4.0),
        ("no", 4.0, 4.5),
        ("agenda.", 4.5, 5.0),
    ]
    assert one["checked"]
    assert editor.texts() == [ALL[0], "There is really no agenda.", ALL[2]]
    assert editor.segments()[1] == one


def test_a_job_tells_its_version_and_the_text_as_it_is(editor: Editor) -> None:
    before = editor.client.get(editor.url).json()["job"]
    assert (before["transcript_version"], before["corrected_at"]) == (0, None)
    editor.make("text", segment=editor.ref(1), text="There is no agenda.")
    after = editor.client.get(editor.url).json()["job"]
    assert after["transcript_version"] == 1
    assert after["corrected_at"]
    assert after["transcript_text"] == "We meet at noon. There is no agenda. Then we eat lunch."
    assert after["revision"] > before["revision"]


def test_a_segment_is_split_between_two_words(editor: Editor) -> None:
    made = editor.make("split", segment=editor.ref(0), at=len("We meet"))
    first, second = made["segments"]
    assert (first["text"], first["start"], first["end"]) == ("We meet", 0.0, 1.0)
    assert (second["text"], second["start"], second["end"]) == ("at noon.", 1.0, 2.0)
    assert editor.texts() == ["We meet", "at noon.", *ALL[1:]]
    assert first["id"] == min(one["id"] for one in editor.segments())


def test_the_text_that_somebody_sees_is_split(editor: Editor) -> None:
    editor.make("split", segment=editor.ref(0), text="We met  at two. ", at=7)
    assert editor.texts() == ["We met", "at two.", *ALL[1:]]


def test_neighbours_are_joined(editor: Editor) -> None:
    refs = [editor.ref(place) for place in (0, 1, 2)]
    made = editor.make("merge", segments=refs)
    assert sorted(made["removed"]) == [refs[1]["id"], refs[2]["id"]]
    [one] = editor.segments()
    assert (one["id"], one["text"], one["start"], one["end"]) == (refs[0]["id"], " ".join(ALL), 0.0, 8.0)
    assert [word["word"] for word in one["words"]] == " ".join(ALL).split()


def test_others_than_neighbours_are_not_joined(editor: Editor) -> None:
    answer = editor.post("merge", segments=[editor.ref(0), editor.ref(2)])
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["segments"])


def test_a_segment_is_added_where_nobody_had_heard_one(editor: Editor) -> None:
    made = editor.make("insert", start=5.2, end=5.9, text="Hush!", speaker="SPEAKER_00")
    assert editor.texts() == [ALL[0], ALL[1], "Hush!", ALL[2]]
    assert made["speakers"] == [{**NOBODY, "label": "SPEAKER_00", "name": None, "seconds": 0.7}]
    assert made["segments"][0]["words"] == [{"start": 5.2, "end": 5.9, "word": "Hush!", "probability": None}]


def test_segments_are_deleted(editor: Editor) -> None:
    refs = [editor.ref(0), editor.ref(2)]
    made = editor.make("delete", segments=refs)
    assert sorted(made["removed"]) == sorted(ref["id"] for ref in refs)
    assert editor.texts() == [ALL[1]]


def test_a_boundary_moves_between_two_neighbours(editor: Editor) -> None:
    one, two = editor.ref(0), editor.ref(1)
    editor.make("times", segments=[{**one, "start": 0.0, "end": 1.5}, {**two, "start": 1.5, "end": 5.0}])
    first, second, _third = editor.segments()
    assert (first["end"], second["start"]) == (1.5, 1.5)
    assert first["words"][-1]["end"] <= 1.5
    assert [word["start"] for word in second["words"]] == [3.0, 3.5, 4.0, 4.5]


def test_times_outside_of_the_recording_are_refused(editor: Editor) -> None:
    for start, end in ((1.0, 1.0), (2.0, 1.0), (19.0, 21.0)):
        answer = editor.post("times", segments=[{**editor.ref(0), "start": start, "end": end}])
        assert answer.status_code == 422, (start, end)


def test_somebody_says_it_whom_nobody_had_named(editor: Editor) -> None:
    editor.make("speaker", segments=[editor.ref(0), editor.ref(2)], speaker="SPEAKER_00")
    assert [one["speaker"] for one in editor.segments()] == ["SPEAKER_00", None, "SPEAKER_00"]
    told = editor.client.get(editor.url).json()["job"]["diarization"]
    assert told["speakers"] == [{**NOBODY, "label": "SPEAKER_00", "name": None, "seconds": 4.0}]
    editor.make("speaker", segments=[editor.ref(0)], speaker=None)
    assert [one["speaker"] for one in editor.segments()] == [None, None, "SPEAKER_00"]


def test_a_speaker_that_is_no_number_is_refused(editor: Editor) -> None:
    answer = editor.post("speaker", segments=[editor.ref(0)], speaker="Ada")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["speaker"])


def test_speakers_get_names_and_colours(editor: Editor) -> None:
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speakers", rename={"SPEAKER_00": "Ada"})
    made = editor.make("speakers", colour={"SPEAKER_00": 7})
    assert made["speakers"] == [{**NOBODY, "label": "SPEAKER_00", "name": "Ada", "seconds": 2.0, "colour": 7}]
    text = editor.client.get(editor.url).json()["job"]["speaker_aware_transcript"]
    assert text.startswith("Ada: We meet at noon.")
    made = editor.make("speakers", rename={"SPEAKER_00": ""})
    assert made["speakers"][0]["name"] is None


def test_a_speaker_is_not_merged_with_themselves(editor: Editor) -> None:
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    answer = editor.post("speakers", merge={"from": ["SPEAKER_00"], "into": "SPEAKER_00"})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["merge"])
    assert Correction.objects.count() == 1


def test_two_speakers_become_one(editor: Editor, talk: Job) -> None:
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speaker", segments=[editor.ref(1)], speaker="SPEAKER_01")
    made = editor.make("speakers", merge={"from": ["SPEAKER_01"], "into": "SPEAKER_00"})
    assert made["speakers"] == [{**NOBODY, "label": "SPEAKER_00", "name": None, "seconds": 4.0}]
    assert [one["speaker"] for one in editor.segments()] == ["SPEAKER_00", "SPEAKER_00", None]
    assert Diarization.objects.get(job=talk).speakers[0]["also"] == ["SPEAKER_01"]


def test_unknown_speakers_have_no_names(editor: Editor) -> None:
    answer = editor.post("speakers", rename={"SPEAKER_07": "Ada"})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["rename"])


def test_a_word_is_replaced_wherever_it_stands(editor: Editor) -> None:
    made = editor.make("replace", find="WE", replace="they", whole_words=True)
    assert editor.texts() == ["they meet at noon.", ALL[1], "Then they eat lunch."]
    assert len(made["segments"]) == 2
    assert not made["segments"][0]["checked"]


def test_a_preview_tells_what_a_replacement_would_do(editor: Editor) -> None:
    body = {"find": "e", "replace": "E", "match_case": True}
    told = editor.client.post(f"{editor.url}/corrections/preview", body, format="json").json()
    assert (told["count"], told["more"]) == (3, False)
    assert told["matches"][0]["before"] == ALL[0]
    assert told["matches"][0]["after"] == "WE mEEt at noon."
    assert editor.texts() == ALL
    assert not Correction.objects.exists()


def test_patterns_are_plain_text(editor: Editor) -> None:
    assert editor.post("replace", find=".*", replace="x").status_code == 422
    editor.make("replace", find="noon.", replace=r"\1 (noon)")
    assert editor.texts()[0] == r"We meet at \1 (noon)"


def test_segments_are_checked(editor: Editor, talk: Job) -> None:
    editor.make("check", segments=[editor.ref(0), editor.ref(1)], checked=True)
    assert [row.checked for row in rows_of(talk)] == [True, True, False]
    editor.make("check", segments=[editor.ref(0)], checked=False)
    assert [row.checked for row in rows_of(talk)] == [False, True, False]


def test_a_request_that_comes_twice_is_done_once(editor: Editor) -> None:
    name, ref = str(uuid4()), editor.ref(0)
    first = editor.post("text", segment=ref, text="Once.", request_id=name)
    second = editor.post("text", segment=ref, text="Once.", request_id=name)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Correction.objects.count() == 1


def test_the_log_is_read_from_where_one_stands(editor: Editor, alice: object) -> None:
    for text in ("One.", "Two.", "Three."):
        editor.make("text", segment=editor.ref(0), text=text)
    first = editor.client.get(f"{editor.url}/corrections", {"after": 0, "limit": 2}).json()
    assert [one["number"] for one in first["corrections"]] == [1, 2]
    assert (first["version"], first["next"]) == (3, 2)
    second = editor.client.get(f"{editor.url}/corrections", {"after": 2, "before": 1}).json()
    [last] = second["corrections"]
    assert (last["number"], second["next"]) == (3, None)
    assert (last["before"][0]["text"], last["segments"][0]["text"]) == ("Two.", "Three.")
    assert last["author"] == {"id": alice.pk, "name": "alice@example.test"}  # type: ignore[attr-defined]
    newest = editor.client.get(f"{editor.url}/corrections?order=newest&before=3&limit=1").json()
    assert ([one["number"] for one in newest["corrections"]], newest["next"]) == ([2], 2)
