"""An assistant that comes with a token of the sandbox."""

from __future__ import annotations

import base64

import pytest

from accounts import tokens
from accounts.models import User
from tests.core.play import Stage
from tests.mcp.conftest import Assistant, acting, assistant, call, erin, http_client, refusal
from whisper_jobs import awaiting
from whisper_jobs.models import Job
from whisper_jobs.sandbox import Script

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
__all__ = ["assistant", "erin", "http_client"]
AUDIO = base64.b64encode(b"RIFF" + b"x" * 100).decode()


def of_the_sandbox(user: User) -> str:
    return tokens.create(user, tokens.API, is_sandbox=True).token


async def test_what_it_hands_in_is_not_worked_on_and_other_recordings_are_not_there(
    assistant: Assistant, stage: Stage, erin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr("whisper_jobs.dialects.mcp.tools.WAIT_SECONDS", 0.05)
    real = await acting(stage.completed, erin, channel="api")
    async with assistant(erin, bearer=of_the_sandbox) as client:
        told = await call(client, "transcribe", audio_base64=AUDIO)
        assert (await acting(Job.objects.get, pk=told["job_id"])).sandbox == Script().stored()
        assert "no such recording" in await refusal(client, "get", job_id=real.pk)
        assert (await call(client, "search", query="window1"))["results"] == []
