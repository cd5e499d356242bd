"""Who may come in at /mcp, by which name, how often, and with how much."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.conftest import person
from tests.mcp.conftest import ADDRESS, acting, http_client, jwt_of, token_of
from whisper_jobs.dialects.mcp.endpoint import MOST_BYTES

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


async def post(body: Any = LIST, address: str = ADDRESS, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with http_client(**HEADERS, **headers) as client:
        return await client.post(address, content=content)


async def named(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {await acting(token_of, user)}"}


async def test_a_personal_token_and_a_jwt_come_in(frank: User) -> None:
    for bearer in (token_of, jwt_of):
        told = await acting(bearer, frank)
        assert (await post(Authorization=f"Bearer {told}")).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Bearer tw_nonsense", "Basic YTpi"])
async def test_who_has_no_name_is_challenged(transactional_db: None, header: str) -> None:
    answer = await post(**({"Authorization": header} if header else {}))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json()["error"] == "invalid_token"


async def test_a_token_whose_owner_may_not_use_the_api_is_refused(transactional_db: None) -> None:
    user = await acting(person, "heidi", "whisper.use")
    answer = await post(**await named(user))
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


async def test_a_token_that_was_revoked_is_not_known(frank: User) -> None:
    told = await named(frank)
    await acting(lambda: tokens.revoke(PersonalToken.objects.get()))
    assert (await post(**told)).status_code == 401


async def test_another_name_of_the_server_is_refused(frank: User, settings: Any) -> None:
    told = await named(frank)
    assert (await post(address="http://evil.example/mcp", **told)).status_code == 421
    settings.ALLOWED_HOSTS = [".example"]
    assert (await post(address="http://evil.example/mcp", **told)).status_code == 200


async def test_a_page_of_another_site_is_refused(frank: User) -> None:
    told = await named(frank)
    assert (await post(Origin="http://evil.example", **told)).status_code == 403
    assert (await post(Origin="http://testserver", **told)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
async def test_there_is_only_post(frank: User, method: str) -> None:
    async with http_client(**await named(frank)) as client:
        answer = await client.request(method, ADDRESS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


async def test_who_calls_too_often_is_told_when_to_come_back(frank: User, tools: Any) -> None:
    tools(api_per_minute=1)
    told = await named(frank)
    assert (await post(**told)).status_code == 200
    answer = await post(**told)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"[" * 100_000, b"\xff\x00", b'{"jsonrpc": "2.0"}'])
async def test_a_body_that_is_no_request_is_bad_input_and_no_fault(frank: User, body: bytes) -> None:
    assert 400 <= (await post(body, **await named(frank))).status_code < 500


async def test_a_body_that_is_too_large_is_refused(frank: User) -> None:
    assert (await post(b" " * (MOST_BYTES + 1), **await named(frank))).status_code == 413


async def test_it_goes_on_when_the_session_manager_has_ended(frank: User) -> None:
    async with http_client(**HEADERS, **await named(frank)) as client:
        endpoint = client._transport.app  # type: ignore[attr-defined]
        assert (await client.post(ADDRESS, json=LIST)).status_code == 200
        endpoint._running.cancel()
        await asyncio.wait([endpoint._running])
        await endpoint._application()
        assert (await client.post(ADDRESS, json=LIST)).status_code == 200
