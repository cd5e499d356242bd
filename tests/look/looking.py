"""A server with recordings of every kind, and every page of the site, read from its resolver."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from django.urls import get_resolver
from playwright.sync_api import Page

from tests.native.routes import METHODS, all_routes
from tests.serve.servers import RunningServer

WIDTHS = (1280, 360)
#: What axe-core is to look for: in the dark only colours are others.
SCHEMES: dict[Literal["light", "dark"], dict[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}
#: How a translation is looked at: long words are hardest on a phone.
TRANSLATED = (360, "light")
#: What is folded is read as well, and what arrives softly has arrived.
UNFOLDED = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
#: Not pages of ours: what programs read, and the administration, which is Django's.
ELSEWHERE = ("api/whisper", "api/account", "api/job", "api/schema", "apis/", "asr", "detect-language", "v1/", "admin/")


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


def complaints(window: Page, language: str = "en") -> list[str]:
    """What is wrong with the page that it shows, wide and narrow, light and dark; in a translation, which has other texts in the
    same places and colours, how it fits both widths, and once what programs are told of it."""
    wrong = []
    window.wait_for_load_state("networkidle")
    window.evaluate(UNFOLDED)
    window.evaluate(AXE_SCRIPT)
    for width in WIDTHS:
        window.set_viewport_size({"width": width, "height": 800})
        if window.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{width}: it scrolls sideways")
        for scheme, options in SCHEMES.items():
            if language == "en" or (width, scheme) == TRANSLATED:
                window.emulate_media(color_scheme=scheme)
                wrong += [f"{width} {scheme}: {told}" for told in _violations(window, options)]
    return wrong


def _violations(window: Page, options: dict[str, Any]) -> list[str]:
    found = window.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:250]}" for one in found for node in one["nodes"]
    ]
