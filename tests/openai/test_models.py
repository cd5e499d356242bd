"""The models that can be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import Model

from accounts.models import User
from tests.openai.conftest import MODELS, refusal


def test_names_of_openai_and_of_this_server_are_listed(calls: Any, gina: User) -> None:
    told = calls(gina).get(MODELS).json()
    assert (list(told), told["object"]) == (["object", "data"], "list")
    listed = {one.id: one.owned_by for one in map(Model.model_validate, told["data"])}
    assert next(iter(listed)) == "whisper-1"
    assert (listed["gpt-4o-transcribe-diarize"], listed["pocketsphinx"]) == ("openai", "tools-whisper")
    assert {"auto", "tiny", "large-v3-turbo", "moonshine-tiny"} <= set(listed)
    assert len(listed) == len(told["data"])


@pytest.mark.parametrize("name", ["whisper-1", "tiny", "auto", "faster-whisper/tiny"])
def test_one_of_them_is_described(calls: Any, gina: User, name: str) -> None:
    told = calls(gina).get(f"{MODELS}/{name}").json()
    assert Model.model_validate(told).id == name


def test_one_that_is_not_there_is_not_found(calls: Any, gina: User) -> None:
    assert refusal(calls(gina).get(f"{MODELS}/gpt-9")) == (404, "model_not_found", "model")
    assert refusal(calls(gina).delete(f"{MODELS}/tiny")) == (405, "method_not_supported", None)
