"""A server with recordings of every kind, and every page of the site, read from its resolver."""

from __future__ import annotations

from typing import Any

from django.urls import get_resolver

from tests.native.routes import METHODS, all_routes
from tests.serve.servers import RunningServer

#: Not pages of ours: what programs read, and the administration, which is Django's.
ELSEWHERE = ("api/whisper", "api/account", "api/schema", "v1/modules", "admin/")


def seeded(server: RunningServer, minutes: int = 60) -> dict[str, Any]:
    """Where the recordings are that were put into its database."""
    found: dict[str, Any] = server.seed("tests.look.seed:everything", minutes)
    return found


def routes() -> set[str]:
    """Every address outside of ELSEWHERE that answers GET."""
    return {
        route
        for route, callback in all_routes(get_resolver().url_patterns, "")
        if not route.startswith(ELSEWHERE) and _is_read(callback)
    }


def _is_read(callback: Any) -> bool:
    """Of a function nobody knows; it is taken for one that does."""
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    return view is None or (hasattr(view, "get") and "get" in getattr(view, "http_method_names", METHODS))
