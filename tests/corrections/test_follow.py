"""Everything that shows a transcript shows it corrected: files, the share, callbacks, the token API, search, the socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from sharing import owning
from sharing.models import Share
from tests.conftest import person
from tests.core.play import Stage
from tests.corrections.conftest import SAID, Editor, told
from whisper_jobs import assembled, broadcast, envelope, results, search
from whisper_jobs.models import Channel, Job, Segment, Transcript
from whisper_jobs.speech.formats import FORMATS

ALL = [text for _start, _end, text in SAID]
BETTER = "There is no agenda."


@pytest.fixture
def _corrected(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(1), text=BETTER)
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speakers", rename={"SPEAKER_00": "Ada"})


def file(editor: Editor, name: str, **query: int) -> bytes:
    answer = editor.client.get(f"{editor.url}/exports/{name}", query)
    assert answer.status_code == 200, answer.content
    return whole(answer)


def whole(answer: Any) -> bytes:
    """The body of a streamed answer."""

    async def collected() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(collected)()


TEXTUAL = [name for name, form in FORMATS.items() if form.is_text]


@pytest.mark.usefixtures("_corrected")
@pytest.mark.parametrize("name", TEXTUAL)
def test_files_are_of_the_newest_version_or_of_the_one_asked_for(editor: Editor, name: str) -> None:
    now, then = file(editor, name).decode(), file(editor, name, version=0).decode()
    assert "There" in now
    assert "Their" not in now
    assert "Their" in then
    assert "There" not in then
    assert "Ada" not in then


def test_a_version_that_there_is_not_has_no_file(editor: Editor) -> None:
    answer = editor.client.get(f"{editor.url}/exports/txt", {"version": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_version")
    answer = editor.client.get(f"{editor.url}/exports/txt?version=0&language=sv")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["version"])


@pytest.mark.usefixtures("_corrected")
def test_the_shared_page_shows_it_at_once(talk: Job) -> None:
    owning.share(talk.pk, {})
    share = Share.objects.get(job=talk)
    answer = Client().get(f"/shared/whisper/transcript/{share.token}")
    page = whole(answer)
    assert b"There is no agenda." in page
    assert b"Ada" in page
    assert b"Their" not in page


@pytest.mark.usefixtures("_corrected")
def test_a_callback_that_is_sent_again_tells_it(talk: Job) -> None:
    assert Transcript.objects.get(job=talk).is_stale
    told = envelope.completed(talk, envelope.read(talk, thin=False), thin=False)
    assert told["job"]["transcript_text"] == f"{ALL[0]}\n\n{BETTER} {ALL[2]}"


@pytest.mark.usefixtures("_corrected")
def test_what_a_language_model_reads_is_corrected(talk: Job) -> None:
    assert [one.text for one in results.segments_of(talk)] == [ALL[0], BETTER, ALL[2]]


def test_programs_correct_their_own_jobs(stage: Stage, db: None) -> None:
    robin = person("robin", "whisper.use", "whisper.api")
    job = told(stage, robin, channel=Channel.API, callback_url="https://example.com/hook")
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.create(robin, tokens.API).token}")
    editor = Editor(client, job, "transcribe/")
    editor.make("text", segment=editor.ref(1), text=BETTER)
    assert editor.texts() == [ALL[0], BETTER, ALL[2]]
    assert editor.texts(version=0) == ALL
    assert editor.client.get(editor.url).json()["job"]["transcript_version"] == 1
    assert b"There" in file(editor, "txt")


def test_the_web_jobs_are_none_of_the_token_apis_business(talk: Job, db: None) -> None:
    robin = person("robin", "whisper.use", "whisper.api")
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.create(robin, tokens.API).token}")
    assert Editor(client, talk, "transcribe/").post("restore", number=0).status_code == 404


def test_people_who_do_not_see_a_job_do_not_correct_it(
    api: Callable[[User | None], APIClient], talk: Job, bob: User
) -> None:
    assert Editor(api(bob), talk).post("restore", number=0).status_code == 404


@pytest.mark.usefixtures("_corrected")
def test_the_text_is_put_together_by_the_first_reader_alone(talk: Job) -> None:
    first = assembled.fresh(talk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        second = assembled.fresh(talk)
    assert first is not None
    assert second is not None
    assert (first.text, first.speaker_text) == (second.text, second.speaker_text)
    assert len(queries) == 1


def test_a_correction_that_comes_while_the_text_is_put_together_is_not_lost(
    editor: Editor, talk: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.make("text", segment=editor.ref(0), text="One.")
    make = assembled.texts_of

    def slowly(job: Job) -> dict[str, Any]:
        texts = make(job)
        monkeypatch.setattr(assembled, "texts_of", make)
        editor.make("text", segment=editor.ref(1), text="Two.")
        return texts

    monkeypatch.setattr(assembled, "texts_of", slowly)
    assembled.fresh(talk)
    fresh = assembled.fresh(talk)
    assert fresh is not None
    assert "Two." in fresh.text


def test_it_is_found_by_its_new_words(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(1), text="A zeppelin lands.")
    assert jobs_with(editor, "zeppelin") == [editor.job.pk]
    editor.make("restore", number=0)
    assert jobs_with(editor, "zeppelin") == []
    assert jobs_with(editor, "agenda") == [editor.job.pk]


def jobs_with(editor: Editor, words: str) -> list[int]:
    told = editor.client.get("/api/whisper/jobs", {"q": words}).json()
    return [job["id"] for job in told["jobs"]]


@pytest.mark.django_db(transaction=True)
def test_who_watches_is_told_which_version_there_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = person("alice", "whisper.use")
    job = told(stage, alice)
    client = APIClient()
    client.force_authenticate(alice)
    pushed: list[Any] = []
    monkeypatch.setattr(broadcast, "push", pushed.extend)
    editor = Editor(client, job)
    editor.make("text", segment=editor.ref(1), text=BETTER)
    group, message = next(one for one in pushed if one[1]["type"] == "corrected")
    assert group == broadcast.job_group(job.pk)
    assert message == {"type": "corrected", "revision": Job.objects.get(pk=job.pk).revision, "version": 1}


# --- what it costs --------------------------------------------------------------------------------


@pytest.fixture
def _long(talk: Job) -> None:
    """Ten thousand segments in all."""
    step = Segment.objects.filter(job=talk).order_by("-id")[0].step_id
    words = [[0.0, 0.5, "Some", 0.9], [0.5, 1.0, "words.", 0.9]]
    rows = [
        Segment(
            job=talk, step_id=step, position=at, start=10 + at, end=11 + at, text="Some words.", words=words, revision=1
        )
        for at in range(10, 10_007)
    ]
    Segment.objects.bulk_create(rows, batch_size=1000)


def queries_of(editor: Editor, act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


@pytest.mark.usefixtures("_long")
def test_a_correction_reads_what_it_touches_and_no_more(editor: Editor) -> None:
    ref = editor.ref(0)
    editor.make("text", segment=ref, text="First.")
    long = queries_of(editor, lambda: editor.make("text", segment=editor.ref(0), text="Longer."))
    Segment.objects.filter(start__gt=20).delete()
    short = queries_of(editor, lambda: editor.make("text", segment=editor.ref(0), text="Shorter."))
    assert abs(long - short) <= 2
    assert long < 60


@pytest.mark.usefixtures("_long")
def test_ten_thousand_segments_are_replaced_and_restored(editor: Editor) -> None:
    made = editor.make("replace", find="words", replace="text")
    assert len(made["segments"]) == 9997
    assert editor.texts(offset=5000, limit=1) == ["Some text."]
    assert editor.texts(offset=5000, limit=1, version=0) == ["Some words."]
    editor.make("restore", number=0)
    assert editor.texts(offset=5000, limit=1) == ["Some words."]
    log = editor.client.get(f"{editor.url}/corrections").json()
    assert [one["number"] for one in log["corrections"]] == [1]
    assert log["next"] == 1


# --- what is made anew, and what is left ----------------------------------------------------------


def assembled_again(editor: Editor) -> bool:
    """Whether the texts are to be put together again. They are, after this."""
    was_stale = Transcript.objects.get(job=editor.job).is_stale
    assembled.fresh(editor.job)
    return was_stale


@pytest.mark.parametrize(
    ("kind", "reads_otherwise", "is_found_otherwise"),
    [
        ("check", False, False),
        ("colour", False, False),
        ("rename", True, False),
        ("speaker", True, False),
        ("times", True, True),
        ("text", True, True),
        ("delete", True, True),
        ("insert", True, True),
    ],
)
def test_texts_and_the_index_are_made_anew_where_they_change(
    editor: Editor, monkeypatch: pytest.MonkeyPatch, kind: str, reads_otherwise: bool, is_found_otherwise: bool
) -> None:
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    assert assembled_again(editor)
    reindexed: list[Job] = []
    index = search.reindex

    def watched(job: Job, start: float, end: float) -> None:
        reindexed.append(job)
        index(job, start, end)

    monkeypatch.setattr(search, "reindex", watched)
    one = editor.ref(1)
    fields: dict[str, dict[str, Any]] = {
        "check": {"segments": [one], "checked": True},
        "colour": {"colour": {"SPEAKER_00": 3}},
        "rename": {"rename": {"SPEAKER_00": "Ada"}},
        "speaker": {"segments": [one], "speaker": "SPEAKER_00"},
        "times": {"segments": [{**one, "start": 3.5, "end": 4.5}]},
        "text": {"segment": one, "text": BETTER},
        "delete": {"segments": [one]},
        "insert": {"start": 9.0, "end": 10.0, "text": "Bye."},
    }
    for verb, fields_of_it in ((kind, fields[kind]), ("undo", {"number": 2})):
        editor.make("speakers" if verb in ("colour", "rename") else verb, **fields_of_it)
        assert (assembled_again(editor), bool(reindexed)) == (reads_otherwise, is_found_otherwise), verb
        reindexed.clear()


def test_texts_that_wait_to_be_made_anew_still_do_after_a_check(editor: Editor) -> None:
    editor.make("text", segment=editor.ref(1), text=BETTER)
    editor.make("check", segments=[editor.ref(0)], checked=True)
    assert assembled_again(editor)
    transcript = Transcript.objects.get(job=editor.job)
    assert BETTER in transcript.text
