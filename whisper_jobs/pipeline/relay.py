"""The relay as the operator has set it up, and whether it is up. Read by pipeline.models, pipeline.backends and the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.core.cache import cache

from whisper_jobs.addresses import Network
from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard
from whisper_jobs.speech.engines.base import Relay
from whisper_jobs.speech.engines.choose import KnownModel
from whisper_jobs.speech.engines.openai_relay import NAME

#: A relay that failed is taken to be down for so long: new jobs go elsewhere if they may.
DOWN_SECONDS = 120
_KEY = "relay:down"
#: A window took longer, or the server said that it can't.
_SIGNS = ("backend_unavailable", "timeout", "quota_exceeded")


def relay() -> Relay | None:
    """None unless the operator allows it and says where it is. The same object as long as the settings are the same."""
    tools = settings.TOOLS
    if "B" not in tools.backends or not tools.relay_base_url:
        return None
    return _relay(tools.relay_base_url, tools.relay_api_key, tools.relay_model, tools.outbound_allow)


@lru_cache(maxsize=1)
def _relay(base_url: str, api_key: str, model: str, allow: tuple[Network, ...]) -> Relay:
    return Relay(base_url, api_key, model, Guard(allow))


def known() -> list[KnownModel]:
    """What can be asked for by name to have it done there."""
    server = relay()
    return [KnownModel(NAME, f"Relay: {server.model}", True, "full")] if server else []


def down() -> str:
    """Why the relay is taken to be down, as the last failure told it; empty while it is up."""
    return str(cache.get(_KEY) or "")


@contextmanager
def noticing(backend: str) -> Iterator[None]:
    """Around a call of the engine: a failure of the relay is remembered for a while, a success ends that."""
    try:
        yield
    except JobError as error:
        if backend == "B" and error.code in _SIGNS:
            cache.set(_KEY, error.message, timeout=DOWN_SECONDS)
        raise
    if backend == "B" and down():
        cache.delete(_KEY)
