"""Speakers of a recording get the names of those who are enrolled, when they are told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import Tenant, User
from tests.conftest import person
from tests.core.play import Stage, fresh
from tests.recognition.conftest import Enrol, Hear, diarize, names, near, voice
from tests.speech.conftest import SAMPLE, decode
from whisper_jobs import corrections, diarization, lifecycle, payloads, recognition, told, voices
from whisper_jobs.correction_changes import Rename
from whisper_jobs.models import Job, JobVoice, Speaker, Step, VoiceSample
from whisper_jobs.pipeline import diarize as step
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.speech import overheard as overhearing
from whisper_jobs.speech import recognition as hearing
from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.speech.windows import as_floats
from whisper_jobs.states import Kind

pytestmark = pytest.mark.engine

HEARD = {"SPEAKER_00": near(voice(1), 0.9), "SPEAKER_01": voice(5)}


def messages(job: Job) -> list[str]:
    return [line["message"] for line in payloads.runtime_log(fresh(job))]


def told_of(job: Job) -> list[dict[str, Any]]:
    return list(payloads.diarization(fresh(job))["speakers"])


def again(stage: Stage, job: Job, heard: dict[str, Any]) -> None:
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    diarize(stage, fresh(job), heard)


def rename(job: Job, by: User, **names: str) -> None:
    corrections.correct(job.pk, Rename(names), author=by, request_id=uuid4())


def test_who_is_enrolled_is_named_and_others_keep_their_number(alice: User, enrol: Enrol, hear: Hear) -> None:
    ada = enrol(alice, "Ada", voice(1))
    job = hear(alice, HEARD)
    assert names(job) == ["Ada", None]
    one, other = told_of(job)
    assert (one["speaker_id"], one["recognised"]) == (str(ada.pk), True)
    assert (other["speaker_id"], other["recognised"]) == (None, False)
    row = JobVoice.objects.get(job=job, label="SPEAKER_00")
    assert (row.speaker, row.how) == (ada, "recognised")
    assert row.score == pytest.approx(0.9, abs=1e-3)
    assert "One enrolled speaker was recognised." in messages(job)


def test_voices_are_kept_sealed_of_everybody(alice: User, hear: Hear) -> None:
    job = hear(alice, HEARD)
    rows = {row.label: row for row in JobVoice.objects.filter(job=job)}
    assert rows.keys() == HEARD.keys()
    for label, row in rows.items():
        opened = voices.load(row.sealed)
        assert opened is not None
        assert opened.tolist() == pytest.approx(HEARD[label].tolist())
        assert (row.encoder, row.seconds) == (voices.ENCODER, 9.0)
    assert not any(message.endswith("recognised.") for message in messages(job))


def test_nobody_is_recognised_by_somebody_else_s_speakers(alice: User, bob: User, enrol: Enrol, hear: Hear) -> None:
    enrol(bob, "Bob's Ada", voice(1))
    abroad = User.objects.create_user("abroad@example.test", tenant=Tenant.objects.create(name="elsewhere"))
    enrol(abroad, "Their Ada", voice(1), scope="tenant")
    enrol(alice, "Ada", voice(1), enrollment_status="failed")
    assert names(hear(alice, HEARD)) == [None, None]


@pytest.mark.parametrize("scope", ["tenant", "global"])
def test_speakers_of_the_organisation_and_of_everybody_are_recognised(
    alice: User, bob: User, enrol: Enrol, hear: Hear, scope: str
) -> None:
    enrol(bob, "Ada", voice(1), scope=scope)
    job = hear(alice, HEARD)
    assert names(job) == ["Ada", None]


def test_one_person_who_was_taken_for_two_is_named_once(alice: User, enrol: Enrol, hear: Hear) -> None:
    enrol(alice, "Ada", voice(1))
    job = hear(alice, {"SPEAKER_00": near(voice(1), 0.7), "SPEAKER_01": near(voice(1), 0.95)})
    assert names(job) == [None, "Ada"]


def test_a_name_that_a_person_gave_stays_and_the_link_tells_who_it_is(
    alice: User, enrol: Enrol, hear: Hear, stage: Stage
) -> None:
    job = hear(alice, HEARD)
    rename(job, alice, SPEAKER_00="The chair")
    ada = enrol(alice, "Ada", voice(1))
    again(stage, job, HEARD)
    assert names(job) == ["The chair", None]
    assert told_of(job)[0]["speaker_id"] == str(ada.pk)
    rename(job, alice, SPEAKER_00="The president")
    assert told_of(job)[0]["recognised"]


def test_a_name_that_was_recognised_is_found_anew_when_speakers_are_told_apart_again(
    alice: User, enrol: Enrol, hear: Hear, stage: Stage
) -> None:
    enrol(alice, "Ada", voice(1))
    job = hear(alice, HEARD)
    again(stage, job, {"SPEAKER_00": voice(6), "SPEAKER_01": near(voice(1), 0.8)})
    assert names(job) == [None, "Ada"]
    assert JobVoice.objects.filter(job=job, speaker__isnull=False).get().label == "SPEAKER_01"


def test_another_name_says_that_it_is_somebody_else_also_the_next_time(
    alice: User, enrol: Enrol, hear: Hear, stage: Stage
) -> None:
    enrol(alice, "Ada", voice(1))
    job = hear(alice, HEARD)
    rename(job, alice, SPEAKER_00="Grace")
    assert (names(job)[0], told_of(job)[0]["speaker_id"]) == ("Grace", None)
    again(stage, job, HEARD)
    assert (names(job)[0], told_of(job)[0]["speaker_id"]) == ("Grace", None)
    rename(job, alice, SPEAKER_00="")
    again(stage, job, HEARD)
    assert names(job) == [None, None]


def test_going_back_to_the_first_version_brings_the_recognised_name_back(alice: User, enrol: Enrol, hear: Hear) -> None:
    from whisper_jobs.correction_changes import Restore

    ada = enrol(alice, "Ada", voice(1))
    job = hear(alice, HEARD)
    rename(job, alice, SPEAKER_00="Grace")
    corrections.correct(job.pk, Restore(0), author=alice, request_id=uuid4())
    row = JobVoice.objects.get(job=job, label="SPEAKER_00")
    assert (names(job)[0], row.speaker, row.denied) == ("Ada", ada, [])


def test_a_failure_costs_no_speakers_and_is_told(
    alice: User, enrol: Enrol, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(alice, "Ada", voice(1))
    VoiceSample.objects.update(sealed=voices.seal(voice(1)[:10]))
    job = hear(alice, HEARD)
    assert names(job) == [None, None]
    assert [one["label"] for one in told_of(job)] == list(HEARD)
    assert recognition.FAILED in messages(job)
    assert job.stage == "completed"


def test_a_voice_under_a_key_that_is_gone_is_nobody_s(alice: User, enrol: Enrol, hear: Hear) -> None:
    enrol(alice, "Ada", voice(1))
    VoiceSample.objects.update(sealed="nothing that could be opened")
    job = hear(alice, HEARD)
    assert names(job) == [None, None]
    assert job.stage == "completed"


def test_what_is_told_of_it_can_be_told_in_the_reader_s_language() -> None:
    told_here = {recognition.FAILED, "One enrolled speaker was recognised.", "No enrolled speaker was recognised."}
    assert told_here <= set(told.SENTENCES)


def test_a_job_shows_links_with_one_query_more(
    alice: User, enrol: Enrol, hear: Hear, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(1, 6):
        enrol(alice, f"Speaker {number}", voice(number))
    job = hear(alice, {f"SPEAKER_{number:02}": voice(number) for number in range(1, 6)})
    with django_assert_max_num_queries(2):
        assert all(one["recognised"] for one in payloads.diarization(job)["speakers"])


# --- as a worker does it ----------------------------------------------------------------------------


@pytest.fixture
def heard(stage: Stage, alice: User, settings: Any, tmp_path: Path) -> Job:
    """The first 20 s of the sample recording, in which two voices take turns."""
    settings.TOOLS = replace(settings.TOOLS, model_dir=tmp_path / "models")
    job = stage.decoded(alice, windows=1, disable_diarization=False)
    name = default_storage.save(f"{Path(job.media).parent}/spoken.mp3", ContentFile(SAMPLE.read_bytes()))
    Job.objects.filter(pk=job.pk).update(media=name)
    Step.objects.filter(job=job, kind=Kind.WINDOW).update(speech=[[0.5, 4.6], [5.5, 11.1], [12.1, 14.4], [15.4, 20.0]])
    lifecycle.finish_window(
        stage.run("speech"), [Spoken(0.6, 10.9, "Hello. You are in the right place.")], language="en"
    )
    return fresh(job)


@pytest.fixture
def second(alice: User, enrol: Enrol) -> Speaker:
    """The second voice of the sample, by what it says later on."""
    return enrol(alice, "Grace", hearing.enrol(as_floats(decode(SAMPLE)), [(23.9, 31.0), (34.2, 40.0)]))


def work() -> None:
    assert work_once("speech", Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0)))


def test_a_real_voice_is_recognised(heard: Job, second: Speaker) -> None:
    work()
    row = JobVoice.objects.get(job=heard, speaker=second)
    assert sorted(names(heard), key=str) == ["Grace", None]
    assert row.score is not None
    assert row.score > 0.6


def test_it_is_recognised_whatever_told_the_turns_apart(
    heard: Job, second: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A diarizer with vectors of its own, such as pyannote: the voices are heard along, by one decoding."""
    monkeypatch.setattr(ClusteringDiarizer, "encoder", "")
    work()
    assert sorted(names(heard), key=str) == ["Grace", None]
    assert JobVoice.objects.filter(job=heard, encoder=voices.ENCODER).count() == 2


def test_where_voices_can_t_be_heard_along_the_speakers_are_told_apart_all_the_same(
    heard: Job, second: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_told: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(ClusteringDiarizer, "encoder", "")
    monkeypatch.setattr(overhearing.Overheard, "_hear", fails)
    work()
    assert names(heard) == [None, None]
    assert fresh(heard).diarization.state == "done"
    assert step.log.name == "whisper_jobs.pipeline.diarize"


def test_somebody_of_another_organisation_is_not_heard_by_the_same_worker(heard: Job, second: Speaker) -> None:
    other = person("other", "whisper.use")
    User.objects.filter(pk=other.pk).update(tenant=Tenant.objects.create(name="elsewhere"))
    Speaker.objects.filter(pk=second.pk).update(owner=other)
    work()
    assert names(heard) == [None, None]
