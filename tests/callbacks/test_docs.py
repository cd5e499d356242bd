"""What docs/callbacks.md tells receivers: its programs verify a real callback, its examples have the keys that are sent."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.callbacks.conftest import send
from tests.callbacks.receiver import Call, Receiver, status
from tests.core.play import Stage
from whisper_jobs import callbacks, lifecycle, posting
from whisper_jobs.deliverer import HOST_SLOTS
from whisper_jobs.errors import JobError
from whisper_jobs.models import EnrichmentState, Job, Translation

TEXT = (Path(settings.BASE_DIR) / "docs" / "callbacks.md").read_text()
Make = Callable[..., Job]
Verify = Callable[[str, dict[str, str], bytes], bool]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def by_python(secret: str, headers: dict[str, str], body: bytes) -> bool:
    space: dict[str, Any] = {}
    exec(blocks("python")[0], space)
    return bool(space["is_genuine"](secret, headers, body))


def by_node(secret: str, headers: dict[str, str], body: bytes) -> bool:
    node = shutil.which("node")
    assert node, "Node.js is not installed. On Debian: apt install nodejs"
    program = f"""{blocks("javascript")[0]}
import {{ readFileSync }} from "node:fs";
const [secret, headers, body] = JSON.parse(readFileSync(0));
console.log(isGenuine(secret, headers, Buffer.from(body, "base64")));"""
    told = json.dumps([secret, headers, base64.b64encode(body).decode()])
    words = [node, "--input-type=module", "--eval", program]
    return subprocess.run(words, input=told, capture_output=True, text=True, check=True).stdout.strip() == "true"


@pytest.fixture
def call(completed: Make, receiver: Receiver) -> Call:
    job = completed(source_label="Räksmörgås")
    Translation.objects.create(job=job, language="sv", index=0, state=EnrichmentState.DONE, text="klart")
    send()
    return receiver.calls[0]


@pytest.mark.parametrize("verify", [by_python, by_node])
def test_its_programs_tell_a_genuine_callback_from_others(call: Call, token: PersonalToken, verify: Verify) -> None:
    secret = tokens.signing_secrets(token)[0]
    assert verify(secret, call.headers, call.body)
    assert not verify(secret, call.headers, call.body + b" ")
    assert not verify("whsec_" + base64.b64encode(b"x" * 24).decode(), call.headers, call.body)
    old = {**call.headers, "webhook-timestamp": str(int(call.headers["webhook-timestamp"]) - 400)}
    assert not verify(secret, old, call.body)


@pytest.mark.parametrize("verify", [by_python, by_node])
def test_its_programs_know_both_secrets_of_a_rotation(
    completed: Make, receiver: Receiver, token: PersonalToken, verify: Verify
) -> None:
    old = tokens.signing_secrets(token)[0]
    new = tokens.rotate_secret(token)
    completed()
    send()
    (call,) = receiver.calls
    assert verify(old, call.headers, call.body)
    assert verify(new, call.headers, call.body)


def shape(value: Any) -> Any:
    """The keys of it, however deep."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else None


def example(number: int) -> Any:
    return json.loads(blocks("json")[number])


def test_the_example_of_a_completed_job_has_the_keys_that_are_sent(call: Call) -> None:
    assert shape(call.json) == shape(example(0))


def test_the_example_of_a_failed_job_has_the_keys_that_are_sent(
    stage: Stage, alice: User, asked: dict[str, Any], receiver: Receiver
) -> None:
    stage.prepared(alice, **asked)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    assert shape(receiver.calls[0].json) == shape(example(1))


def test_the_example_of_the_log_has_the_keys_that_are_answered(
    completed: Make, receiver: Receiver, api: Callable[[User | None], APIClient], alice: User
) -> None:
    job = completed()
    receiver.answers = [status(503)]
    send()
    told = api(alice).get(f"/api/whisper/jobs/{job.pk}/callback/attempts").json()
    assert shape(told) == shape(example(2))
    assert told["attempts"][0]["error"] == example(2)["attempts"][0]["error"]


def test_it_tells_the_schedule_and_the_limits_of_the_code() -> None:
    pauses = [pause.total_seconds() for pause in callbacks.PAUSES]
    assert pauses == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert "5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h" in TEXT
    assert HOST_SLOTS == 8 and "At most eight are sent to one host" in TEXT
    assert posting.TIMEOUT_SECONDS == 15 and "within 15 seconds" in TEXT
