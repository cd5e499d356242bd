"""/whisper/live without a browser: who gets it, and what it says where there are no live sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.test import Client

from accounts.models import User

Visit = Callable[[User | None], Client]


def test_who_may_use_the_site_may_speak_to_it(visit: Visit, alice: User) -> None:
    page = visit(alice).get("/whisper/live")
    assert page.status_code == 200
    assert 'id="live-start"' in page.content.decode()


def test_others_sign_in_or_are_told(visit: Visit, nobody: User) -> None:
    assert visit(None).get("/whisper/live").status_code == 302
    assert visit(nobody).get("/whisper/live").status_code == 403


def test_it_is_in_the_menu_of_every_page(visit: Visit, alice: User) -> None:
    assert 'href="/whisper/live"' in visit(alice).get("/whisper").content.decode()


def test_languages_are_those_that_a_session_takes(visit: Visit, alice: User) -> None:
    codes = [code for code, _name in visit(alice).get("/whisper/live").context["languages"]]
    assert codes[0] == "" and {"en", "sv"} < set(codes)
    assert {len(code) for code in codes[1:]} == {2}


def test_where_there_are_no_live_sessions_the_page_says_so(visit: Visit, alice: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_workers=0, live_address="")
    page = visit(alice).get("/whisper/live").content.decode()
    assert "switched off on this server" in page and 'id="live-start"' not in page
