"""Sessions in the database, whose keys are letters and digits: a cookie with anything else in it stands for no session."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    def _validate_session_key(self, key: Any) -> bool:
        """PostgreSQL refuses to look for a text with a NUL in it, which a quoted cookie can hold."""
        return bool(super()._validate_session_key(key)) and str(key).isalnum()  # type: ignore[misc]  # not in its stubs
