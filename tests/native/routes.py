"""Every address of the site with the methods that it answers, read from the resolver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver

#: Verbit's paths lie where the native ones do.
ANOTHER_DIALECT = "api/job/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def calls(*beginnings: str) -> list[tuple[str, str]]:
    """(method, route) of what begins so. HEAD only where it is not GET's."""
    return [
        (method, route)
        for route, view in all_routes(get_resolver().url_patterns, "")
        if route.startswith(beginnings)
        for method in _methods(view)
    ]


def all_routes(patterns: Any, before: str) -> Iterator[tuple[str, Any]]:
    """(route, callback) of these patterns and of those that they include."""
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield route, one.callback
        else:
            yield from all_routes(one.url_patterns, route)


def _methods(callback: Any) -> list[str]:
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    named = getattr(view, "http_method_names", ())
    found = [method for method in METHODS if method.lower() in named and hasattr(view, method.lower())]
    return [method for method in found if method != "HEAD" or "GET" not in found]
