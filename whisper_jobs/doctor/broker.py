"""The broker: whether it answers, and what time it has."""

from __future__ import annotations

import redis
from django.conf import settings

TIMEOUT_SECONDS = 1.0


def answers() -> bool:
    """Whether the broker answers a ping. One that is no Redis is taken to be up: its workers say so by their rows."""
    client = _client()
    if client is None:
        return True
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def clock() -> float | None:
    """Seconds since 1970 as the broker has them; None for one that doesn't tell."""
    client = _client()
    if client is None:
        return None
    try:
        seconds, microseconds = client.time()
    except (redis.RedisError, OSError):
        return None
    finally:
        client.close()
    return float(seconds) + float(microseconds) / 1e6


def _client() -> redis.Redis | None:
    url = settings.TOOLS.redis_url or f"unix://{settings.TOOLS.socket_path}"
    if not url.startswith(("redis://", "rediss://", "unix://")):
        return None
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
