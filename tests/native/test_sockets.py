"""Sockets over a real broker: who may join, what is told, and that a broker that comes back is caught up with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission
from django.db import connections
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import PersonalToken, User
from accounts.permissions import grant
from config.asgi import application
from tests.broker import running_broker
from tests.core.play import Stage, fresh
from whisper_jobs import broadcast, lifecycle
from whisper_jobs.live import consumers

pytestmark = [pytest.mark.serve, pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _broker() -> Iterator[None]:
    with running_broker():
        yield


@pytest_asyncio.fixture(autouse=True)
async def _no_connection_left() -> AsyncIterator[None]:
    """The thread in which sockets query has a database connection of its own."""
    yield
    await sync_to_async(connections.close_all)()


def bearer(user: User) -> dict[str, str]:
    return {"authorization": f"Bearer {AccessToken.for_user(user)}"}


@asynccontextmanager
async def socket(path: str, headers: dict[str, str] | None = None) -> AsyncIterator[WebsocketCommunicator]:
    told = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    opened = WebsocketCommunicator(application, f"/ws/whisper/{path}", headers=[(b"host", b"testserver"), *told])
    assert (await opened.connect(timeout=5))[0]
    yield opened
    await opened.disconnect()


async def close_code(opened: WebsocketCommunicator) -> int:
    while True:
        message = await opened.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            return int(message["code"])
        assert "snapshot" not in message.get("text", "")


async def acting(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await sync_to_async(verb)(*args, **kwargs)


async def test_a_page_gets_the_snapshot_and_then_each_change_once(stage: Stage, alice: User) -> None:
    job = await acting(stage.decoded, alice, windows=2)
    async with socket(f"jobs/{job.pk}", bearer(alice)) as page:
        first = await page.receive_json_from(timeout=5)
        assert (first["type"], first["job"]["stage"]) == ("snapshot", "waiting")
        for _ in range(2):
            await acting(lambda: stage.hear(stage.run("speech")))
        await acting(lambda: stage.assemble(stage.run("deliver"), text="all"))
        revisions, heard = [first["revision"]], []
        while True:
            message = await page.receive_json_from(timeout=5)
            if message["type"] == "segments":
                heard += [one["text"] for one in message["segments"]]
            if message["type"] == "change":
                revisions.append(message["revision"])
                if message["job"]["status"] == "completed":
                    break
        assert heard == ["window0", "window1"]
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == (await acting(fresh, job)).revision


async def test_who_joins_late_gets_the_segments_there_are(stage: Stage, alice: User) -> None:
    job = await acting(stage.completed, alice, windows=3)
    async with socket(f"jobs/{job.pk}", bearer(alice)) as page:
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        segments = (await page.receive_json_from(timeout=5))["segments"]
        assert [one["text"] for one in segments] == ["window0", "window1", "window2"]
    async with socket(f"jobs/{job.pk}?since={job.revision}", bearer(alice)) as page:
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        assert await page.receive_nothing(timeout=0.3)


@pytest.mark.parametrize("path", ["jobs/{job}", "queue"])
async def test_a_stranger_is_closed_out(stage: Stage, alice: User, path: str) -> None:
    job = await acting(stage.submit, alice)
    async with socket(path.format(job=job.pk), {"authorization": "Bearer nonsense"}) as page:
        assert await close_code(page) == consumers.NOT_SIGNED_IN


async def test_without_the_permission_the_queue_is_closed(nobody: User) -> None:
    async with socket("queue", bearer(nobody)) as page:
        assert await close_code(page) == consumers.NO_PERMISSION


async def test_anothers_job_is_closed_like_one_that_is_not_there(stage: Stage, alice: User, bob: User) -> None:
    job = await acting(stage.submit, alice)
    for number in (job.pk, 999_999):
        async with socket(f"jobs/{number}", bearer(bob)) as page:
            assert await close_code(page) == consumers.NOT_VISIBLE


async def test_a_personal_token_may_come_as_the_first_message(stage: Stage, alice: User) -> None:
    job = await acting(stage.submit, alice, channel="api")
    await acting(grant, alice, "whisper.api")
    new = await acting(tokens.create, alice, "provider_whisper_api")
    async with socket(f"jobs/{job.pk}") as page:
        assert await page.receive_nothing(timeout=0.1)
        await page.send_json_to({"type": "auth", "token": new.token})
        told = await page.receive_json_from(timeout=5)
        assert (told["type"], told["job"]["segments_url"]) == (
            "snapshot",
            f"/api/whisper/transcribe/jobs/{job.pk}/segments",
        )


async def test_a_personal_token_shows_what_its_api_shows_and_no_more(stage: Stage, alice: User) -> None:
    web = await acting(stage.submit, alice)
    await acting(grant, alice, "whisper.api")
    new = await acting(tokens.create, alice, tokens.API)
    named = {"authorization": f"Bearer {new.token}"}
    async with socket(f"jobs/{web.pk}", named) as page:
        assert await close_code(page) == consumers.NOT_VISIBLE
    async with socket("queue", named) as page:
        first = await page.receive_json_from(timeout=5)
        assert (first["jobs"], first["summary"]["queued"]) == ([], 0)
        await acting(stage.submit, alice)
        assert await page.receive_nothing(timeout=0.3)
        job = await acting(stage.submit, alice, channel="api")
        assert (await page.receive_json_from(timeout=5))["job"]["id"] == job.pk
        assert (await page.receive_json_from(timeout=5))["summary"]["queued"] == 1


@pytest.mark.parametrize("in_header", [True, False])
async def test_a_revoked_token_closes_what_it_opened(
    stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch, in_header: bool
) -> None:
    monkeypatch.setattr(consumers, "CATCH_UP_SECONDS", 0.2)
    await acting(grant, alice, "whisper.api")
    new = await acting(tokens.create, alice, tokens.API)
    async with socket("queue", {"authorization": f"Bearer {new.token}"} if in_header else None) as page:
        if not in_header:
            await page.send_json_to({"type": "auth", "token": new.token})
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        assert await page.receive_nothing(timeout=0.6)
        await acting(PersonalToken.objects.update, revoked_at=timezone.now())
        assert await close_code(page) == consumers.NOT_SIGNED_IN


async def test_who_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(consumers, "AUTH_SECONDS", 0.1)
    async with socket("queue") as page:
        assert await close_code(page) == consumers.NOT_SIGNED_IN


async def test_a_session_of_another_site_does_not_count(client: Any, alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(consumers, "AUTH_SECONDS", 0.1)
    await acting(client.force_login, alice)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    async with socket("queue", {"cookie": cookie, "origin": "http://testserver"}) as page:
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
    async with socket("queue", {"cookie": cookie, "origin": "http://evil.example"}) as page:
        assert await close_code(page) == consumers.NOT_SIGNED_IN


@pytest.mark.parametrize("frame", ["{nonsense", "[" * 100_000, "9" * 5000, b"\x00\xff"])
async def test_nonsense_closes_the_socket(alice: User, frame: str | bytes) -> None:
    async with socket("queue", bearer(alice)) as page:
        await page.receive_json_from(timeout=5)
        await (page.send_to(text_data=frame) if isinstance(frame, str) else page.send_to(bytes_data=frame))
        code = await close_code(page)
        assert code == consumers.BAD_MESSAGE
        assert 3000 <= code <= 4999, "an application may send no other"


@pytest.mark.parametrize("path", ["nope", "jobs/-1", "jobs/" + "9" * 5000])
async def test_a_path_that_is_not_there_is_told_so(path: str) -> None:
    async with socket(path) as page:
        assert await close_code(page) == consumers.NOT_VISIBLE


@pytest.mark.parametrize(
    ("lost", "code"), [("is_active", consumers.NOT_SIGNED_IN), ("permission", consumers.NO_PERMISSION)]
)
async def test_who_may_no_longer_be_there_is_sent_away(
    alice: User, monkeypatch: pytest.MonkeyPatch, lost: str, code: int
) -> None:
    monkeypatch.setattr(consumers, "CATCH_UP_SECONDS", 0.2)
    async with socket("queue", bearer(alice)) as page:
        await page.receive_json_from(timeout=5)
        if lost == "permission":
            await acting(alice.user_permissions.clear)
        else:
            await acting(User.objects.filter(pk=alice.pk).update, is_active=False)
        assert await close_code(page) == code


async def test_the_queue_tells_new_jobs_places_and_deletions_to_those_who_see_them(
    stage: Stage, alice: User, bob: User, charlie: User
) -> None:
    async with (
        socket("queue", bearer(alice)) as mine,
        socket("queue", bearer(bob)) as others,
        socket("queue", bearer(charlie)) as manager,
    ):
        for page in (mine, others, manager):
            assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        job = await acting(stage.submit, alice)
        for page in (mine, manager):
            change = await page.receive_json_from(timeout=5)
            assert (change["type"], change["job"]["id"]) == ("change", job.pk)
            line = await page.receive_json_from(timeout=5)
            assert line["positions"] == {str(job.pk): 1}
            assert line["summary"]["queued"] == 1
        await acting(lifecycle.delete, job.pk)
        assert await mine.receive_json_from(timeout=5) == {"type": "deleted", "id": job.pk}
        assert await others.receive_nothing(timeout=0.2)


async def test_what_was_missed_while_the_broker_was_away_is_told_later(
    stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "CATCH_UP_SECONDS", 0.5)
    job = await acting(stage.decoded, alice, windows=1)
    monkeypatch.setattr(broadcast, "push", lambda messages: None)
    async with socket(f"jobs/{job.pk}", bearer(alice)) as page:
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        await acting(lambda: stage.hear(stage.run("speech")))
        change = await page.receive_json_from(timeout=5)
        assert (change["type"], change["job"]["windows"]["done"]) == ("change", 1)
        assert (await page.receive_json_from(timeout=5))["segments"][0]["text"] == "window0"
        await asyncio.sleep(0.7)
        assert await page.receive_nothing(timeout=0.1), "it is told once"


async def test_revisions_only_grow_and_no_segment_is_dropped_when_processes_overtake_each_other(
    stage: Stage, alice: User
) -> None:
    job = await acting(stage.submit, alice)
    pushed = [("change", 50), ("segments", 49), ("segments", 60), ("change", 55), ("change", 60)]
    async with socket(f"jobs/{job.pk}", bearer(alice)) as page:
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        for kind, revision in pushed:
            message = {"type": kind, "revision": revision, "job": {}, "segments": [{"id": revision}]}
            broadcast.push([(broadcast.job_group(job.pk), message)])
        told = [await page.receive_json_from(timeout=5) for _ in range(4)]
    assert [one["revision"] for one in told] == [50, 50, 60, 60]
    assert [one["type"] for one in told] == ["change", "segments", "segments", "change"]
    assert [one["segments"][0]["id"] for one in told[1:3]] == [49, 60]


async def test_who_may_no_longer_see_all_is_closed(charlie: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "CATCH_UP_SECONDS", 0.2)
    async with socket("queue", bearer(charlie)) as page:
        await page.receive_json_from(timeout=5)
        manage = Permission.objects.filter(codename="manage", content_type__app_label="whisper")
        await acting(lambda: charlie.user_permissions.remove(manage.get()))
        assert await close_code(page) == consumers.TRY_AGAIN


async def test_who_signs_out_is_closed(client: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "CATCH_UP_SECONDS", 0.2)
    await acting(client.force_login, alice)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    async with socket("queue", {"cookie": cookie}) as page:
        await page.receive_json_from(timeout=5)
        await acting(client.logout)
        assert await close_code(page) == consumers.NOT_SIGNED_IN


@pytest.mark.parametrize("by", ["session", "jwt"])
async def test_a_password_that_is_changed_elsewhere_closes_what_the_old_one_opened(
    client: Any, alice: User, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(consumers, "CATCH_UP_SECONDS", 0.2)
    await acting(client.force_login, alice)
    session = {"cookie": f"sessionid={client.cookies['sessionid'].value}"}
    async with socket("queue", session if by == "session" else bearer(alice)) as page:
        await page.receive_json_from(timeout=5)
        assert await page.receive_nothing(timeout=0.6)
        alice.set_password("Another-horse-10-battery")
        await acting(alice.save)
        assert await close_code(page) == consumers.NOT_SIGNED_IN
