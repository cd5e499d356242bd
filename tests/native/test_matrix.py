"""Every address under /api/ crossed with every kind of caller. An address that has no line here fails, and so does one too many."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import PersonalToken, Tenant, User
from accounts.permissions import grant
from sharing.models import Share
from tests.conftest import PASSWORD, person
from tests.core.play import Stage
from tests.native.routes import ANOTHER_DIALECT, calls
from whisper_jobs.models import Channel, Job, Note, Tag, Upload

#: The job is `owner`'s, came through the token API, is completed, shared, and was asked to call back.
CALLERS = (
    "anonymous",  # says nothing
    "nobody",  # signed in, without any permission
    "owner",  # of the job: whisper.use and whisper.api
    "session",  # the owner's browser
    "other",  # another user of the same tenant
    "abroad",  # a user of another tenant
    "manager",  # whisper.manage in the same tenant
    "foreign manager",  # whisper.manage in another tenant
    "admin",
    "token",  # the owner's, as the rest with a Bearer
    "other's token",
    "admin's token",
    "weak token",  # its owner has whisper.use alone
    "wrong provider",
    "revoked token",
    "expired token",
    "share link",  # its token, in each place where a credential may stand
)
MANAGES = ("whisper.use", "whisper.manage")
#: Columns as in CALLERS. A status that the job's state causes (422) says that the caller was let in.
MATRIX = """
any nob own ses oth abr man for adm tok oth adm wea pro rev exp sha  # signed-in API
401 403 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401  GET api/whisper/status
401 403 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs
401 403 201 201 201 201 201 201 201 401 401 401 401 401 401 401 401  POST api/whisper/jobs
401 403 403 403 403 403 200 200 200 401 401 401 401 401 401 401 401  POST api/whisper/run-now
401 403 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401  GET api/whisper/glossary
401 403 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401  POST api/whisper/glossary
401 403 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401  DELETE api/whisper/glossary
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  DELETE api/whisper/jobs/ID
401 403 422 422 404 404 422 404 422 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/cancel
401 403 422 422 404 404 422 404 422 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/restart
401 403 422 422 404 404 422 404 422 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/again
401 403 403 403 404 404 403 404 202 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/analyze
401 403 403 403 404 404 403 404 202 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/translate
401 403 202 202 404 404 202 404 202 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/diarize
401 403 422 422 404 404 422 404 422 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/refill
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/review
401 403 422 422 404 404 422 404 422 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/review
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/spots
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/segments
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/corrections
401 403 201 201 404 404 201 404 201 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/corrections
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/corrections/preview
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/exports/FORMAT
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/exports.zip
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/share
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  PATCH api/whisper/jobs/ID/share
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  DELETE api/whisper/jobs/ID/share
401 403 202 202 404 404 202 404 202 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/callback/replay
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/callback/attempts
401 403 422 422 422 422 422 422 422 401 401 401 401 401 401 401 401  GET api/whisper/search
401 403 403 403 403 403 403 403 404 401 401 401 401 401 401 401 401  GET api/whisper/speakers/SPEAKER/recognitions
401 403 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401  GET api/whisper/tags
401 403 201 201 201 201 201 201 201 401 401 401 401 401 401 401 401  POST api/whisper/tags
401 403 200 200 404 404 404 404 404 401 401 401 401 401 401 401 401  PATCH api/whisper/tags/TAG
401 403 200 200 404 404 404 404 404 401 401 401 401 401 401 401 401  DELETE api/whisper/tags/TAG
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/tags
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  PUT api/whisper/jobs/ID/tags
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  PATCH api/whisper/jobs/ID
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  GET api/whisper/jobs/ID/notes
401 403 201 201 404 404 201 404 201 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/notes
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  PATCH api/whisper/jobs/ID/notes/NOTE
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  DELETE api/whisper/jobs/ID/notes/NOTE
401 403 200 200 404 404 200 404 200 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/trash
401 403 404 404 404 404 404 404 404 401 401 401 401 401 401 401 401  POST api/whisper/jobs/ID/untrash
any nob own ses oth abr man for adm tok oth adm wea pro rev exp sha  # token API
401 401 401 401 401 401 401 401 401 201 201 201 403 401 401 401 401  POST api/whisper/transcribe
401 401 401 401 401 401 401 401 401 200 200 200 403 401 401 401 401  GET api/whisper/transcribe/status
401 401 401 401 401 401 401 401 401 200 200 200 403 401 401 401 401  GET api/whisper/transcribe/jobs
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  DELETE api/whisper/transcribe/jobs/ID
401 401 401 401 401 401 401 401 401 422 404 422 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/cancel
401 401 401 401 401 401 401 401 401 422 404 422 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/restart
401 401 401 401 401 401 401 401 401 403 404 202 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/analyze
401 401 401 401 401 401 401 401 401 403 404 202 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/translate
401 401 401 401 401 401 401 401 401 202 404 202 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/diarize
401 401 401 401 401 401 401 401 401 422 404 422 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/refill
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/review
401 401 401 401 401 401 401 401 401 422 404 422 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/review
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/spots
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/segments
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/corrections
401 401 401 401 401 401 401 401 401 201 404 201 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/corrections
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/corrections/preview
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/exports/FORMAT
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/exports.zip
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/share
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  PATCH api/whisper/transcribe/jobs/ID/share
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  DELETE api/whisper/transcribe/jobs/ID/share
401 401 401 401 401 401 401 401 401 202 404 202 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/callback/replay
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/callback/attempts
401 401 401 401 401 401 401 401 401 422 422 422 403 401 401 401 401  GET api/whisper/transcribe/search
401 401 401 401 401 401 401 401 401 403 403 404 403 401 401 401 401  GET api/whisper/transcribe/speakers/SPEAKER/recognitions
401 401 401 401 401 401 401 401 401 200 200 200 403 401 401 401 401  GET api/whisper/transcribe/tags
401 401 401 401 401 401 401 401 401 201 201 201 403 401 401 401 401  POST api/whisper/transcribe/tags
401 401 401 401 401 401 401 401 401 200 404 404 403 401 401 401 401  PATCH api/whisper/transcribe/tags/TAG
401 401 401 401 401 401 401 401 401 200 404 404 403 401 401 401 401  DELETE api/whisper/transcribe/tags/TAG
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/tags
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  PUT api/whisper/transcribe/jobs/ID/tags
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  PATCH api/whisper/transcribe/jobs/ID
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  GET api/whisper/transcribe/jobs/ID/notes
401 401 401 401 401 401 401 401 401 201 404 201 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/notes
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  PATCH api/whisper/transcribe/jobs/ID/notes/NOTE
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  DELETE api/whisper/transcribe/jobs/ID/notes/NOTE
401 401 401 401 401 401 401 401 401 200 404 200 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/trash
401 401 401 401 401 401 401 401 401 404 404 404 403 401 401 401 401  POST api/whisper/transcribe/jobs/ID/untrash
any nob own ses oth abr man for adm tok oth adm wea pro rev exp sha  # uploads, for both; one's own only
401 403 201 201 201 201 201 201 201 201 201 201 403 401 401 401 401  POST api/whisper/uploads/
401 403 200 200 404 404 404 404 404 200 404 404 403 401 401 401 401  HEAD api/whisper/uploads/UPLOAD
401 403 204 204 404 404 404 404 404 204 404 404 403 401 401 401 401  PATCH api/whisper/uploads/UPLOAD
401 403 204 204 404 404 404 404 404 204 404 404 403 401 401 401 401  DELETE api/whisper/uploads/UPLOAD
any nob own ses oth abr man for adm tok oth adm wea pro rev exp sha  # open to all; 422 is for what is sent
200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200  GET api/schema
200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200  GET api/docs
200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200  GET api/redoc
422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  POST api/account/login
422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  POST api/account/refresh
422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  POST api/account/logout
422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  POST api/account/revoke
"""
NAMES = {
    "<int:job_id>": "ID",
    "<int:tag_id>": "TAG",
    "<int:note_id>": "NOTE",
    "<str:name>": "FORMAT",
    "<uuid:upload_id>": "UPLOAD",
    "<uuid:speaker_id>": "SPEAKER",
}


def _lines() -> dict[str, list[int]]:
    """call → the status for each of CALLERS."""
    rows = [line.split() for line in MATRIX.strip().splitlines() if line[0].isdigit()]
    return {" ".join(row[-2:]): [int(status) for status in row[:-2]] for row in rows}


def _named(route: str) -> str:
    for pattern, name in NAMES.items():
        route = route.replace(pattern, name)
    return route


SUBMISSION = {"source_url": "https://example.com/a.mp3", "callback_url": "https://example.com/hook"}
BODIES = {
    "jobs": SUBMISSION,
    "transcribe": SUBMISSION,
    "again": {"model": "pocketsphinx"},
    "translate": {"language": "sv"},
    "corrections": {"request_id": str(uuid4()), "kind": "replace", "find": "window", "replace": "door"},
    "preview": {"find": "window", "replace": "door"},
    "glossary": {"terms": ["Åsa"]},
    "review": {"action": "take"},
    "notes": {"start": 1.5},
    "tags": {"name": "Music", "tags": ["Music"]},
}


@dataclass(frozen=True)
class World:
    """The job, upload, tag and note that everybody asks for, and each caller's way to ask."""

    job: Job
    upload: Upload
    tag: Tag
    note: Note
    clients: dict[str, Callable[[], APIClient]]


def _bearer(credential: str) -> Callable[[], APIClient]:
    return lambda: APIClient(HTTP_AUTHORIZATION=f"Bearer {credential}")


def _jwt(user: User) -> Callable[[], APIClient]:
    return _bearer(str(AccessToken.for_user(user)))


def _token(user: User, provider: str = tokens.API, **ended: Any) -> Callable[[], APIClient]:
    clear = tokens.create(user, provider).token
    PersonalToken.objects.filter(user=user, hint=clear[-tokens.HINT_CHARACTERS :]).update(**ended)
    return _bearer(clear)


def _session(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def _with_share(share: Share) -> APIClient:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {share.token}", HTTP_X_API_KEY=share.token)
    client.head(f"/shared/whisper/transcript/{share.token}")
    return client


def _abroad(name: str, *permissions: str) -> User:
    user = User.objects.create_user(f"{name}@example.test", tenant=Tenant.objects.get_or_create(name="elsewhere")[0])
    for permission in permissions:
        grant(user, permission)
    return user


@pytest.fixture(scope="module")
def world(lasting_rows: None) -> World:
    nobody, alice, charlie = person("nobody"), person("alice", "whisper.use"), person("charlie", *MANAGES)
    owner, other = (person(name, "whisper.use", "whisper.api") for name in ("owner", "other"))
    admin = User.objects.create_superuser("admin@example.test", PASSWORD)
    job = Stage().completed(owner, channel=Channel.API, callback_url="https://example.com/hook")
    day = timedelta(days=1)
    upload = Upload.objects.create(owner=owner, length_bytes=4, expires_at=timezone.now() + day)
    clients = [
        APIClient,
        _jwt(nobody),
        _jwt(owner),
        lambda: _session(owner),
        _jwt(other),
        _jwt(_abroad("abroad", "whisper.use")),
        _jwt(charlie),
        _jwt(_abroad("boss", *MANAGES)),
        _jwt(admin),
        _token(owner),
        _token(other),
        _token(admin),
        _token(alice),
        _token(owner, tokens.OPENAI),
        _token(owner, revoked_at=timezone.now()),
        _token(owner, expires_at=timezone.now() - day),
        lambda: _with_share(Share.objects.get()),
    ]
    tag = Tag.objects.create(owner=owner, name="Talks")
    note = Note.objects.create(job=job, author=owner, start=1.0, end=2.0)
    return World(job, upload, tag, note, dict(zip(CALLERS, clients, strict=True)))


@pytest.mark.parametrize("call", _lines())
def test_who_is_answered_what(db: None, world: World, call: str, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, api_per_minute=1000)
    expected = dict(zip(CALLERS, _lines()[call], strict=True))
    assert {caller: _status(world, caller, call) for caller in CALLERS} == expected


def _status(world: World, caller: str, call: str) -> int:
    """What the caller gets. Nothing of it stays."""
    method, route = call.split()
    path = "/" + route.replace("ID", str(world.job.pk)).replace("FORMAT", "txt").replace("UPLOAD", str(world.upload.pk))
    path = path.replace("TAG", str(world.tag.pk)).replace("NOTE", str(world.note.pk)).replace("SPEAKER", str(uuid4()))
    cache.clear()
    with transaction.atomic():
        client = world.clients[caller]()
        answer = _ask_for_upload(client, method, path) if "uploads" in path else _ask(client, method, path)
        transaction.set_rollback(True)
    if answer.status_code >= 400 and method != "HEAD":
        assert set(answer.json()) == {"ok", "message", "code", "errors"}
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"].startswith("Bearer")
    return int(answer.status_code)


def _ask(client: APIClient, method: str, path: str) -> Any:
    if method == "GET":
        return client.get(path)
    return client.generic(
        method, path, json.dumps(BODIES.get(path.rsplit("/", 1)[1], {})), content_type="application/json"
    )


def _ask_for_upload(client: APIClient, method: str, path: str) -> Any:
    headers: dict[str, Any] = {"HTTP_TUS_RESUMABLE": "1.0.0"}
    if method == "POST":
        return client.generic(method, path, "", HTTP_UPLOAD_LENGTH="4", **headers)
    body, kind = ("RIFF", "application/offset+octet-stream") if method == "PATCH" else ("", "")
    return client.generic(method, path, body, content_type=kind, HTTP_UPLOAD_OFFSET="0", **headers)


def test_every_address_has_a_line() -> None:
    native = [(method, route) for method, route in calls("api/") if not route.startswith(ANOTHER_DIALECT)]
    assert sorted(_lines()) == sorted(f"{method} {_named(route)}" for method, route in native)
