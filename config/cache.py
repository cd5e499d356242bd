"""The cache: Redis, and this process's own memory while Redis is away, so that limits still hold and no page fails for it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

_SHARED = ("add", "get", "set", "touch", "delete", "get_many", "set_many", "delete_many", "has_key", "incr", "clear")


class JsonSerializer:
    """Plain values only: whoever could write into Redis must not be able to run code here, as with pickle."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, text: bytes) -> Any:
        return json.loads(text)


class SteadyCache(RedisCache):
    """Each call goes to Redis first and to `stand_in` where Redis does not answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.stand_in = LocMemCache("steady-cache", {})


def _or_stand_in(name: str) -> Callable[..., Any]:
    through_redis = getattr(RedisCache, name)

    @functools.wraps(through_redis)
    def call(self: SteadyCache, *args: Any, **kwargs: Any) -> Any:
        try:
            return through_redis(self, *args, **kwargs)
        except (RedisError, OSError):
            return getattr(self.stand_in, name)(*args, **kwargs)

    return call


for _name in _SHARED:
    setattr(SteadyCache, _name, _or_stand_in(_name))
