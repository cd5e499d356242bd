"""What is done with several recordings at once, by a form that any browser can send."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.library.conftest import Find, Recording
from whisper_jobs import queries, tagging, trash
from whisper_jobs.models import Job, Tag

Visit = Callable[[User | None], Client]
ACT = "/whisper/library/act"


def told(client: Client) -> str:
    return client.get("/whisper/library").text


def test_the_trash_takes_and_gives_back(visit: Visit, stage: Stage, alice: User) -> None:
    jobs = [stage.completed(alice).pk for _ in range(2)]
    client = visit(alice)
    answer = client.post(ACT, {"action": "trash", "jobs": jobs, "next": "q=talk"})
    undo = "%2C".join(map(str, sorted(jobs, reverse=True)))
    assert answer.headers["location"] == f"/whisper/library?q=talk&undo={undo}"
    page = client.get(answer.headers["location"]).text
    assert "2 recordings are in the trash." in page
    assert not queries.visible_jobs(alice).exists()
    client.post(ACT, {"action": "restore", "jobs": jobs})
    assert queries.visible_jobs(alice).count() == 2
    assert "2 recordings are back." in told(client)


def test_one_at_work_stays_and_the_reason_is_told(visit: Visit, stage: Stage, alice: User) -> None:
    done, busy = stage.completed(alice), stage.fetched(alice)
    client = visit(alice)
    client.post(ACT, {"action": "trash", "jobs": [done.pk, busy.pk]})
    assert list(queries.visible_jobs(alice)) == [busy]
    assert "1 recording: This recording is being worked on." in told(client)


def test_those_of_others_are_left_alone(visit: Visit, stage: Stage, alice: User, bob: User) -> None:
    job = stage.completed(alice)
    client = visit(bob)
    for action in ("trash", "tag", "untag", "restart"):
        client.post(ACT, {"action": action, "jobs": [job.pk], "tag_name": "x"})
    assert fresh(job).trashed_at is None
    assert not job.tags.exists()
    trash.discard(job.pk)
    for action in ("restore", "delete", "empty"):
        client.post(ACT, {"action": action, "jobs": [job.pk]})
    assert fresh(job).trashed_at is not None


def test_deleting_for_good_takes_only_what_is_in_the_trash(visit: Visit, stage: Stage, alice: User) -> None:
    kept, gone = stage.completed(alice), stage.completed(alice)
    trash.discard(gone.pk)
    visit(alice).post(ACT, {"action": "delete", "jobs": [kept.pk, gone.pk], "next": "view=trash"})
    assert list(Job.objects.all()) == [kept]


def test_a_manager_empties_their_own_trash_only(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    hers, his = stage.completed(alice), stage.completed(charlie)
    for job in (hers, his):
        trash.discard(job.pk)
    visit(charlie).post(ACT, {"action": "empty"})
    assert list(Job.objects.all()) == [hers]


def test_failed_ones_are_restarted(visit: Visit, stage: Stage, alice: User) -> None:
    done = stage.completed(alice)
    failed = stage.submit(alice)
    trash.discard(failed.pk)
    trash.restore(failed.pk)
    client = visit(alice)
    client.post(ACT, {"action": "restart", "jobs": [failed.pk, done.pk]})
    assert (fresh(failed).stage, fresh(done).stage) == ("queued", "completed")
    page = told(client)
    assert "1 recording is queued again." in page
    assert "1 recording: Only a failed or queued job can be restarted." in page


def test_a_tag_is_put_on_and_taken_off(visit: Visit, recording: Recording, find: Find, alice: User) -> None:
    jobs = [recording(alice, title).pk for title in ("One", "Two")]
    client = visit(alice)
    client.post(ACT, {"action": "tag", "jobs": jobs, "tag_name": "Höst 2026"})
    client.post(ACT, {"action": "tag", "jobs": jobs[:1], "tag_name": "höst 2026"})
    tag = Tag.objects.get()
    assert (tag.name, tag.jobs.count()) == ("Höst 2026", 2)
    assert find(alice, "host") == ["One", "Two"]
    client.post(ACT, {"action": "untag", "jobs": jobs[:1], "tag_name": "Höst 2026"})
    assert find(alice, "host") == ["Two"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"action": "trash"}, "Choose recordings first."),
        ({"action": "fly"}, "Choose what to do."),
        ({"action": "tag", "jobs": ["1"], "tag_name": ""}, "Give the tag a name"),
        ({"action": "untag", "jobs": ["1"], "tag_name": "none"}, "You have no tag of this name."),
        ({"action": "trash", "jobs": ["x", "9" * 30, "-1", "²"]}, "Choose recordings first."),
    ],
)
def test_mistakes_are_told(visit: Visit, stage: Stage, alice: User, body: dict[str, object], sentence: str) -> None:
    job = stage.completed(alice)
    client = visit(alice)
    answer = client.post(ACT, body | ({"jobs": [job.pk]} if body.get("jobs") == ["1"] else {}))
    assert answer.status_code == 302
    assert sentence in told(client)


def test_tags_are_renamed_coloured_and_deleted(
    visit: Visit, recording: Recording, find: Find, alice: User, bob: User
) -> None:
    job = recording(alice, "One")
    client = visit(alice)
    client.post("/whisper/library/shelves", {"name": "Music", "colour": "3"})
    tag = Tag.objects.get(owner=alice)
    tagging.put_on(tag.owner, [tag], [job.pk])
    address = f"/whisper/library/tags/{tag.pk}"
    assert visit(bob).post(address, {"action": "delete"}).status_code == 404
    client.post(address, {"action": "keep", "name": "Concerts", "colour": "99"})
    tag.refresh_from_db()
    assert (tag.name, tag.colour) == ("Concerts", 3)
    assert (find(alice, "music"), find(alice, "concerts")) == ([], ["One"])
    assert "Concerts" in client.get("/whisper/library/shelves").text
    client.post("/whisper/library/shelves", {"name": "CONCERTS"})
    assert "You have a tag of this name." in client.get("/whisper/library/shelves").text
    client.post(address, {"action": "delete"})
    assert find(alice, "concerts") == []
    assert Job.objects.filter(pk=job.pk).exists()
