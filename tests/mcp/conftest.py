"""The official client, over the application as the web server calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import User
from tests.conftest import person
from whisper_jobs.dialects.mcp.endpoint import Endpoint
from whisper_jobs.pooled import pooled

ADDRESS = "http://testserver/mcp"
Assistant = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def erin(transactional_db: None) -> User:
    return person("erin", "whisper.use", "whisper.api", "scaiecho:transcribe", "scaiecho:diarize")


@pytest.fixture
def frank(transactional_db: None) -> User:
    """Reads, and nothing else."""
    return person("frank", "whisper.use", "whisper.api")


def token_of(user: User) -> str:
    return tokens.create(user, tokens.API).token


def jwt_of(user: User) -> str:
    return str(AccessToken.for_user(user))


async def acting(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """In another thread, as another process would."""
    return await pooled(partial(verb, *args, **kwargs))


def http_client(**headers: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Endpoint()), headers=headers)


@pytest_asyncio.fixture
async def assistant() -> Assistant:
    """A client in the name of somebody, with a personal token or what `bearer` makes."""

    @asynccontextmanager
    async def connected(user: User, bearer: Callable[[User], str] = token_of, **options: Any) -> AsyncIterator[Client]:
        told = await acting(bearer, user)
        async with (
            http_client(Authorization=f"Bearer {told}") as http,
            Client(streamable_http_client(ADDRESS, http_client=http), **options) as client,
        ):
            yield client

    return connected


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What the tool answers; it must not refuse."""
    answer = await client.call_tool(f"scaiecho.{tool}", arguments)
    assert not answer.is_error, answer.content
    assert isinstance(answer.structured_content, dict)
    return answer.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The sentence with which the tool refuses."""
    answer = await client.call_tool(f"scaiecho.{tool}", arguments)
    assert answer.is_error, answer.structured_content
    (told,) = answer.content
    assert isinstance(told, TextContent)
    return told.text.removeprefix(f"Error executing tool scaiecho.{tool}: ")
