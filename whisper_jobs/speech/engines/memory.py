"""How the libraries of Whisper engines say that memory ran out. Called by those engines."""

from __future__ import annotations

#: torch has an exception of its own for the GPU and a bare RuntimeError for the CPU's allocator; CTranslate2 has only the latter.
_SIGNS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "bad_alloc",
    "failed to allocate",
    "alloc_failed",
)


def is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
    )
