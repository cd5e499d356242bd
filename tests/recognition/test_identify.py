"""A person says who somebody in a recording is, or is not: through the API, and the profile learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage, fresh
from tests.recognition.conftest import Enrol, Hear, diarize, names, near, voice
from whisper_jobs import diarization, voices
from whisper_jobs.models import Job, JobVoice, Speaker, VoiceSample

Api = Callable[[User | None], APIClient]
#: Not near enough to be recognised.
HEARD = {"SPEAKER_00": near(voice(1), 0.3), "SPEAKER_01": voice(5)}


@pytest.fixture
def ada(enroller: User, enrol: Enrol) -> Speaker:
    return enrol(enroller, "Ada", voice(1))


@pytest.fixture
def job(enroller: User, ada: Speaker, hear: Hear) -> Job:
    return hear(enroller, HEARD)


def say(client: APIClient, job: Job, **links: Speaker | None) -> Any:
    identify = {label: str(speaker.pk) if speaker else None for label, speaker in links.items()}
    return correct(client, job, kind="speakers", identify=identify)


def correct(client: APIClient, job: Job, **told: Any) -> Any:
    body = {"request_id": str(uuid4()), **told}
    return client.post(f"/api/whisper/jobs/{job.pk}/corrections", body, format="json")


def learnt(speaker: Speaker) -> list[str]:
    return list(VoiceSample.objects.filter(speaker=speaker, job__isnull=False).values_list("label", flat=True))


def test_naming_gives_the_name_and_the_profile_learns_the_voice(
    api: Api, enroller: User, job: Job, ada: Speaker, hear: Hear
) -> None:
    assert names(job) == [None, None]
    answer = say(api(enroller), job, SPEAKER_00=ada)
    assert answer.status_code == 201, answer.content
    assert answer.json()["correction"]["speakers"][0] == {
        "label": "SPEAKER_00",
        "name": "Ada",
        "seconds": 9.0,
        "speaker_id": str(ada.pk),
        "recognised": False,
    }
    assert names(job) == ["Ada", None]
    assert learnt(ada) == ["SPEAKER_00"]
    assert JobVoice.objects.get(job=job, speaker=ada).how == "named"
    # What was learnt is enough to know the voice by the next time.
    assert names(hear(enroller, {"SPEAKER_00": near(voice(1), 0.3)})) == ["Ada"]


def test_saying_that_it_is_not_takes_all_of_it_back_and_is_remembered(
    api: Api, enroller: User, job: Job, ada: Speaker, stage: Stage
) -> None:
    say(api(enroller), job, SPEAKER_00=ada)
    assert say(api(enroller), job, SPEAKER_00=None).status_code == 201
    assert (names(job), learnt(ada)) == ([None, None], [])
    row = JobVoice.objects.get(job=job, label="SPEAKER_00")
    assert (row.speaker, row.how, row.denied) == (None, "", [str(ada.pk)])
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    diarize(stage, fresh(job), {"SPEAKER_00": voice(1), "SPEAKER_01": voice(5)})
    assert names(job) == [None, None]


def test_a_name_of_one_s_own_stays_when_the_link_goes(api: Api, enroller: User, job: Job, ada: Speaker) -> None:
    say(api(enroller), job, SPEAKER_00=ada)
    correct(api(enroller), job, kind="speakers", rename={"SPEAKER_00": "The chair"})
    assert learnt(ada) == ["SPEAKER_00"]
    say(api(enroller), job, SPEAKER_00=None)
    assert names(job) == ["The chair", None]


def test_it_is_undone_and_done_again_like_any_correction(api: Api, enroller: User, job: Job, ada: Speaker) -> None:
    number = say(api(enroller), job, SPEAKER_00=ada).json()["version"]
    undone = correct(api(enroller), job, kind="undo", number=number).json()["version"]
    assert (names(job), learnt(ada)) == ([None, None], [])
    correct(api(enroller), job, kind="undo", number=undone)
    assert (names(job), learnt(ada)) == (["Ada", None], ["SPEAKER_00"])
    assert JobVoice.objects.get(job=job, label="SPEAKER_00").denied == []


def test_the_same_request_once_more_changes_nothing(api: Api, enroller: User, job: Job, ada: Speaker) -> None:
    body = {"request_id": str(uuid4()), "kind": "speakers", "identify": {"SPEAKER_00": str(ada.pk)}}
    answers = [api(enroller).post(f"/api/whisper/jobs/{job.pk}/corrections", body, format="json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert learnt(ada) == ["SPEAKER_00"]


def test_two_voices_may_be_one_person_when_somebody_says_so(api: Api, enroller: User, job: Job, ada: Speaker) -> None:
    assert say(api(enroller), job, SPEAKER_00=ada, SPEAKER_01=ada).status_code == 201
    assert names(job) == ["Ada", "Ada"]
    assert sorted(learnt(ada)) == ["SPEAKER_00", "SPEAKER_01"]


def test_what_people_said_lasts_when_speakers_are_told_apart_again(
    api: Api, enroller: User, job: Job, ada: Speaker, stage: Stage
) -> None:
    say(api(enroller), job, SPEAKER_00=ada)
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    diarize(stage, fresh(job), {"SPEAKER_00": voice(8), "SPEAKER_01": voice(9)})
    assert names(job) == ["Ada", None]
    sample = VoiceSample.objects.get(speaker=ada, job=job)
    opened = voices.load(sample.sealed)
    assert opened is not None
    assert opened.tolist() == pytest.approx(voice(8).tolist())


def test_a_label_that_is_merged_away_teaches_nothing(api: Api, enroller: User, job: Job, ada: Speaker) -> None:
    say(api(enroller), job, SPEAKER_00=ada)
    correct(api(enroller), job, kind="speakers", merge={"from": ["SPEAKER_00"], "into": "SPEAKER_01"})
    assert (names(job), learnt(ada)) == ([None], [])


def test_with_the_recording_goes_what_was_learnt_from_it(api: Api, enroller: User, job: Job, ada: Speaker) -> None:
    say(api(enroller), job, SPEAKER_00=ada)
    job.delete()
    assert learnt(ada) == []


def test_a_speaker_without_a_voice_can_be_named_and_nothing_is_learnt(
    api: Api, enroller: User, job: Job, ada: Speaker
) -> None:
    JobVoice.objects.all().delete()
    assert say(api(enroller), job, SPEAKER_00=ada).status_code == 201
    assert (names(job), learnt(ada)) == (["Ada", None], [])


def test_a_speaker_who_is_somebody_else_s_is_named_and_learns_nothing(
    api: Api, enroller: User, bob: User, job: Job, enrol: Enrol
) -> None:
    theirs = enrol(bob, "Ben", voice(2), scope="tenant")
    assert say(api(enroller), job, SPEAKER_01=theirs).status_code == 201
    assert (names(job), learnt(theirs)) == ([None, "Ben"], [])


def test_who_may_not_enrol_names_nobody(api: Api, alice: User, bob: User, enrol: Enrol, hear: Hear) -> None:
    ben = enrol(bob, "Ben", voice(2), scope="tenant")
    job = hear(bob, HEARD)
    answer = say(api(User.objects.get(pk=bob.pk)), job, SPEAKER_00=ben)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["identify"]


def test_a_speaker_of_whom_one_may_not_know_is_none(
    api: Api, enroller: User, bob: User, job: Job, enrol: Enrol
) -> None:
    theirs = enrol(bob, "Ben", voice(2))
    for unknown in (theirs, Speaker(pk=uuid4())):
        assert say(api(enroller), job, SPEAKER_00=unknown).status_code == 422
    assert names(job) == [None, None]


@pytest.mark.parametrize(
    "identify",
    [{"SPEAKER_09": None}, {"SPEAKER_00": "ada"}, {"SPEAKER_00": 5}, {"a\0b": None}, {}, "Ada", {"SPEAKER_00": "\0"}],
)
def test_what_makes_no_sense_is_refused(api: Api, enroller: User, job: Job, identify: Any) -> None:
    assert correct(api(enroller), job, kind="speakers", identify=identify).status_code == 422


def test_somebody_else_s_recording_is_not_there(api: Api, bob: User, job: Job, ada: Speaker) -> None:
    grant(bob, "scaiecho:enroll")
    assert say(api(User.objects.get(pk=bob.pk)), job, SPEAKER_00=ada).status_code == 404


# --- where somebody was heard -----------------------------------------------------------------------


def heard_where(client: APIClient, speaker: Speaker, **query: Any) -> Any:
    return client.get(f"/api/whisper/speakers/{speaker.pk}/recognitions", query)


def test_recordings_in_which_a_speaker_was_heard_the_last_first(
    api: Api, enroller: User, job: Job, ada: Speaker, hear: Hear
) -> None:
    say(api(enroller), job, SPEAKER_00=ada)
    second = hear(enroller, {"SPEAKER_00": voice(1)})
    answer = heard_where(api(enroller), ada)
    assert answer.status_code == 200
    found = answer.json()["recognitions"]
    assert {one["job_id"]: (one["recognised"], one["seconds"]) for one in found} == {
        job.pk: (False, 9.0),
        second.pk: (True, 9.0),
    }
    assert {one["job_id"]: one["score"] is None for one in found} == {job.pk: True, second.pk: False}
    first = heard_where(api(enroller), ada, limit=1).json()
    rest = heard_where(api(enroller), ada, limit=1, cursor=first["next"]).json()
    assert [one["job_id"] for one in (*first["recognitions"], *rest["recognitions"])] == [
        one["job_id"] for one in found
    ]
    assert rest["next"] is None


def test_only_recordings_that_one_may_see_are_told(
    api: Api, enroller: User, bob: User, enrol: Enrol, hear: Hear, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    ada = enrol(enroller, "Ada", voice(1), scope="tenant")
    hear(enroller, {"SPEAKER_00": voice(1)})
    theirs = [hear(bob, {"SPEAKER_00": voice(1)}) for _ in range(3)]
    grant(bob, "scaiecho:enroll")
    client = api(User.objects.get(pk=bob.pk))
    with django_assert_max_num_queries(8):
        found = heard_where(client, ada).json()["recognitions"]
    assert sorted(one["job_id"] for one in found) == sorted(job.pk for job in theirs)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1000}, {"cursor": "x"}, {"cursor": -1}])
def test_pages_that_make_no_sense_are_refused(api: Api, enroller: User, ada: Speaker, query: dict[str, Any]) -> None:
    assert heard_where(api(enroller), ada, **query).status_code == 422


def test_who_may_not_enrol_is_told_nothing(api: Api, bob: User, ada: Speaker) -> None:
    assert heard_where(api(bob), ada).status_code == 403
    grant(bob, "scaiecho:enroll")
    assert heard_where(api(User.objects.get(pk=bob.pk)), ada).status_code == 404
