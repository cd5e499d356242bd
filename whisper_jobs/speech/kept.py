"""What takes long to load stays loaded, one at a time, until another is asked for or nobody has used it for a while.

One for the engines, one for the diarizers; each process has its own.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Loaded(Generic[T]):
    key: Hashable
    thing: T
    users: int = 0
    used_at: float = 0.0


class Kept(Generic[T]):
    def __init__(self) -> None:
        self._lock = Lock()
        self._loaded: _Loaded[T] | None = None

    @contextmanager
    def using(self, key: Hashable, load: Callable[[], T]) -> Iterator[T]:
        """What `load` made under this key, not idle while the block runs. Raises what `load` raises."""
        with self._lock:
            loaded = self._ready(key, load)
            loaded.users += 1
        try:
            yield loaded.thing
        finally:
            with self._lock:
                loaded.users -= 1
                loaded.used_at = monotonic()

    def release_idle(self, after_seconds: float) -> bool:
        """Frees what nobody has used for so long; True when it did. Any thread may ask, and does not wait for what is loading."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            idle = self._idle_for(after_seconds)
            if idle:
                self._free()
        finally:
            self._lock.release()
        return idle

    def _idle_for(self, seconds: float) -> bool:
        loaded = self._loaded
        return loaded is not None and not loaded.users and monotonic() - loaded.used_at >= seconds

    def unload(self) -> None:
        with self._lock:
            self._free()

    def _ready(self, key: Hashable, load: Callable[[], T]) -> _Loaded[T]:
        if self._loaded is None or self._loaded.key != key:
            # The old weights go before the new ones come: two large models may not fit.
            self._free()
            self._loaded = _Loaded(key, load())
        return self._loaded

    def _free(self) -> None:
        self._loaded = None
        gc.collect()
