"""Which backend a job gets from what the operator has set, what it asks for, what this server has and what is up."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache

from accounts.models import User
from config.env import BadEnvironment, read
from tests.core.play import Stage
from tests.speech.relay_server import HELLO, KEY, RelayServer, refused, said
from whisper_jobs import policy, told
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job
from whisper_jobs.pipeline import backends, models, relay
from whisper_jobs.pipeline.backends import Chosen, Wish
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Options
from whisper_jobs.speech.engines.choose import Choice

GOOD = Choice("faster-whisper", "base", "full", "Whisper “base” is the best model that this server has.")
DRAFT = Choice("pocketsphinx", "pocketsphinx", "draft", "The draft engine was chosen for this job.")


@pytest.fixture
def server() -> Iterator[RelayServer]:
    with RelayServer().running() as running:
        yield running


@pytest.fixture
def allow(settings: Any, server: RelayServer) -> Any:
    """Sets TOOLS_BACKENDS, with a relay that is there."""

    def allow(allowed: str) -> None:
        settings.TOOLS = replace(
            settings.TOOLS,
            backends=allowed,
            relay_base_url=server.url,
            relay_api_key=KEY,
            outbound_allow=(ipaddress.ip_network("127.0.0.1/32"),),
        )

    return allow


def chosen(choice: Choice | JobError = GOOD, **wish: Any) -> Chosen:
    def here() -> Choice:
        if isinstance(choice, JobError):
            raise choice
        return choice

    return backends.chosen_for(Wish(**wish), policy.allowed_for(None), here=here)


def refusal(choice: Choice | JobError = GOOD, **wish: Any) -> JobError:
    with pytest.raises(JobError) as raised:
        chosen(choice, **wish)
    return raised.value


def test_by_default_no_sound_leaves_this_machine(allow: Any) -> None:
    assert relay.relay() is None
    allow("A")
    assert relay.relay() is None
    assert chosen(preference="B").backend == "A"
    assert refusal(JobError("language_unsupported"), preference="B").code == "language_unsupported"


def test_where_both_are_allowed_this_server_comes_first_unless_the_relay_is_liked_better(allow: Any) -> None:
    allow("AB")
    assert chosen() == Chosen("A", GOOD)
    found = chosen(preference="B")
    assert (found.backend, found.choice.engine, found.choice.model) == ("B", "openai-relay", "whisper-1")
    assert found.choice.reason == "The relay transcribes this, with its model “whisper-1”."


def test_what_this_server_can_not_do_falls_to_the_relay_with_the_reason(allow: Any) -> None:
    allow("AB")
    found = chosen(JobError("language_unsupported", "No model on this server knows Swedish."))
    assert found.backend == "B"
    assert found.choice.reason.endswith("whisper-1”. No model on this server knows Swedish.")


def test_a_draft_that_nobody_asked_for_is_worth_less_than_the_relay(allow: Any) -> None:
    allow("AB")
    assert chosen(DRAFT).backend == "B"
    assert chosen(DRAFT, preference="A") == Chosen("A", DRAFT)
    assert chosen(DRAFT, model="pocketsphinx") == Chosen("A", DRAFT)


def test_a_guess_at_english_is_worth_less_than_the_relay(allow: Any) -> None:
    allow("AB")
    guess = Choice("moonshine", "moonshine-tiny", "full", "It is all there is.", takes_for_english=True)
    found = chosen(guess)
    assert found.backend == "B"
    assert found.choice.reason.endswith("This server itself only knows English.")
    assert chosen(replace(guess, takes_for_english=False)).backend == "A"
    assert chosen(guess, model="moonshine-tiny").backend == "A"


def test_a_fault_of_this_server_is_not_hidden_by_the_relay(allow: Any) -> None:
    allow("AB")
    assert refusal(JobError("out_of_memory")).code == "out_of_memory"


def test_who_is_pinned_to_the_relay_has_the_relay_or_nothing(allow: Any) -> None:
    allow("B")
    assert chosen(preference="A").backend == "B"
    cache.set("relay:down", "The relay has a problem.")
    error = refusal()
    assert (error.code, error.retry) == ("backend_unavailable", True)
    assert error.message == "The relay is down. The relay has a problem."


def test_a_relay_that_is_down_is_passed_over_where_that_is_allowed(allow: Any) -> None:
    allow("AB")
    cache.set("relay:down", "The relay has a problem.")
    found = chosen(preference="B")
    assert found.backend == "A"
    assert found.choice.reason == f"{GOOD.reason} The relay was to do it, but it is down."
    assert chosen().choice.reason == GOOD.reason
    assert chosen(DRAFT).choice.engine == "pocketsphinx"


def test_a_model_that_was_asked_for_by_name_is_never_swapped(allow: Any) -> None:
    allow("AB")
    missing = JobError("model_unavailable", "Whisper “tiny” is not here.")
    assert refusal(missing, model="tiny") is missing
    assert chosen(model="openai-relay").backend == "B"
    allow("A")
    assert refusal(model="openai-relay").message == "Your recordings may not go to the relay. Choose another model."
    allow("B")
    assert "does not have the model “tiny”" in refusal(model="tiny").message


def test_forms_offer_what_may_be_asked_for(allow: Any) -> None:
    allow("A")
    assert "openai-relay" not in [one.name for one in models.known()]
    allow("AB")
    assert {"pocketsphinx", "openai-relay"} <= {one.name for one in models.known()}
    allow("B")
    assert [(one.name, one.label) for one in models.known()] == [("openai-relay", "Relay: whisper-1")]
    assert models.is_known("openai-relay")


def test_a_job_is_chosen_for_by_what_it_asks(allow: Any, stage: Stage, alice: User) -> None:
    allow("AB")
    job = stage.submit(alice)
    Job.objects.filter(pk=job.pk).update(backend_preference="B")
    found = backends.choose(Job.objects.get(pk=job.pk), on_progress=lambda here, total: None)
    assert found.backend == "B"


def test_a_job_that_is_to_be_translated_gets_no_model_that_can_not(allow: Any, stage: Stage, alice: User) -> None:
    allow("A")
    job = stage.submit(alice)
    Job.objects.filter(pk=job.pk).update(task="translate", requested_model="pocketsphinx")
    with pytest.raises(JobError, match="can't translate"):
        backends.choose(Job.objects.get(pk=job.pk), on_progress=lambda here, total: None)


def test_a_failure_of_the_relay_is_remembered_until_it_works_again(allow: Any, server: RelayServer) -> None:
    allow("AB")
    engine = registry.engine_class("openai-relay")("whisper-1", models.setup())
    window = [np.full(16_000, 0.1, np.float32)]
    server.then(refused(503), said(HELLO))
    with pytest.raises(JobError), relay.noticing("B"):
        engine.transcribe(window, Options())
    assert relay.down() == "The relay has a problem."
    assert chosen(preference="B").backend == "A"
    with relay.noticing("B"):
        engine.transcribe(window, Options())
    assert relay.down() == ""


def test_what_is_no_fault_of_the_relay_does_not_count_against_it(allow: Any) -> None:
    allow("AB")
    for backend, code in (("B", "cancelled"), ("B", "language_unsupported"), ("A", "timeout")):
        with pytest.raises(JobError), relay.noticing(backend):
            raise JobError(code)
    assert relay.down() == ""


def test_the_engine_stays_loaded_while_the_settings_are_the_same(allow: Any) -> None:
    allow("AB")
    assert models.setup() == models.setup()
    choice = Choice("openai-relay", "whisper-1", "full", "")
    assert registry.load(choice, models.setup()) is registry.load(choice, models.setup())
    registry.unload()


def test_every_reason_can_be_told_in_another_language(allow: Any) -> None:
    allow("AB")
    reasons = [chosen(preference="B").choice.reason, chosen(DRAFT).choice.reason]
    cache.set("relay:down", "The relay has a problem.")
    reasons.append(chosen(preference="B").choice.reason)
    found = [next(one for one, pattern in told._patterns() if pattern.fullmatch(reason)) for reason in reasons]
    assert found == [
        "The relay transcribes this, with its model “{model}”.",
        "The relay transcribes this, with its model “{model}”. {sentence}",
        "{sentence} The relay was to do it, but it is down.",
    ]


def test_a_relay_that_is_allowed_must_be_named() -> None:
    with pytest.raises(BadEnvironment, match="TOOLS_RELAY_BASE_URL"):
        read({"TOOLS_BACKENDS": "AB"})
    with pytest.raises(BadEnvironment, match="A, B or AB"):
        read({"TOOLS_BACKENDS": "C"})
    env = read({"TOOLS_BACKENDS": "ab", "TOOLS_RELAY_BASE_URL": "https://api.openai.com/v1"})
    assert (env.backends, env.relay_model) == ("AB", "whisper-1")
