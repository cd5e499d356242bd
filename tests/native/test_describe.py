"""The published description: it has every call and every key, its examples fit it, and its pages need nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command

from accounts.models import User
from tests.core.play import Stage
from tests.native.routes import ANOTHER_DIALECT, calls
from whisper_jobs.dialects.native.openapi.views import described
from whisper_jobs.models import Channel

#: Of another protocol, which has a description of its own: https://tus.io/protocols/resumable-upload
TUS = "api/whisper/uploads/"
PAGES = ("api/schema", "api/docs", "api/redoc")


def test_every_call_is_described() -> None:
    paths = described()["paths"]
    told = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert told == {
        (method, "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route))
        for method, route in calls("api/")
        if not route.startswith((TUS, *PAGES, ANOTHER_DIALECT))
    }


def test_it_is_openapi_3_1_and_says_who_may_call() -> None:
    told = described()
    assert told["openapi"].startswith("3.1")
    schemes = set(told["components"]["securitySchemes"])
    assert schemes == {"jwt", "session", "token", "tokenHeader", "tokenParameter"}
    named = {name for one in _operations() for asked in one.get("security", []) for name in asked}
    assert named == schemes
    ids = [one["operationId"] for one in _operations()]
    assert len(ids) == len(set(ids))


def test_it_is_valid_and_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", file=str(tmp_path / "schema"), fail_on_warn=True, validate=True)


def _operations() -> list[Any]:
    return [operation for path in described()["paths"].values() for operation in path.values()]


def _check(answer: Any, name: str) -> None:
    """The answer fits the shape, and has no key that the shape doesn't know, at any depth."""
    closed = _closed({"$ref": f"#/components/schemas/{name}", "components": described()["components"]})
    jsonschema.Draft202012Validator(closed).validate(answer)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {name: _closed(value) for name, value in schema.items()}
    if isinstance(copied.get("properties"), dict) and copied.get("type") == "object":
        copied.setdefault("additionalProperties", False)
    return copied


def test_answers_have_the_described_keys_and_no_others(api: Any, robin: User, stage: Stage) -> None:
    fields: dict[str, Any] = {"analysis_language": "en", "translation_target_languages": ("sv",)}
    fields["callback_url"] = "https://example.com/"
    done = stage.completed(robin, channel=Channel.API, **fields)
    waiting = stage.submit(robin)
    client = api(robin)
    for job in (done, waiting):
        _check(client.get(f"/api/whisper/jobs/{job.pk}").json(), "JobAnswer")
    _check(client.get("/api/whisper/jobs").json(), "JobsAnswer")
    _check(client.get("/api/whisper/status").json(), "StatusAnswer")
    _check(client.get(f"/api/whisper/jobs/{done.pk}/segments").json(), "SegmentsAnswer")
    _check(client.get(f"/api/whisper/jobs/{done.pk}/callback/attempts").json(), "AttemptsAnswer")
    _check(client.get("/api/whisper/jobs?limit=0").json(), "Error")
    _check(client.post(f"/api/whisper/jobs/{waiting.pk}/cancel").json(), "JobAnswer")
    _check(client.delete(f"/api/whisper/jobs/{waiting.pk}").json(), "Message")


def test_the_examples_fit_what_they_are_examples_of() -> None:
    told = described()
    for operation in _operations():
        described_body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in described_body.get("examples", {}).values():
            schema = {**described_body["schema"], "components": told["components"]}
            jsonschema.Draft202012Validator(schema).validate(example["value"])


def test_it_comes_as_json_and_as_yaml_to_anybody(client: Any) -> None:
    as_json, as_yaml = client.get("/api/schema"), client.get("/api/schema?format=yaml")
    assert (as_json["Content-Type"], as_yaml["Content-Type"]) == ("application/json", "application/yaml")
    assert as_json.json() == yaml.safe_load(as_yaml.content)
    assert client.get("/api/schema", headers={"accept": "application/yaml"}).content == as_yaml.content


def test_it_is_english_whoever_reads_it_first(client: Any) -> None:
    described.cache_clear()
    swedish = client.get("/api/schema", headers={"accept-language": "sv"}).json()
    assert "Kö" not in str(swedish)
    assert swedish["info"]["title"] == "Tools Whisper"


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_its_pages_run_no_script_of_their_own_text_and_fetch_nothing_from_elsewhere(client: Any, page: str) -> None:
    answer = client.get(f"/api/{page}")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert re.findall(r"<script(?![^>]*src=)", text) == re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_pages_lead_to_it(client: Any, alice: User) -> None:
    client.force_login(alice)
    assert b'href="/api/docs"' in client.get("/whisper").content
