"""Browsers without scripts: Django's test client, signed in as somebody; and the Swedish texts, compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client

from accounts.models import User

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "sv" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="session", autouse=True)
def swedish() -> None:
    """Compiled catalogues are not in the tree."""
    with CATALOGUE.open("rb") as texts, CATALOGUE.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, read_po(texts, locale="sv"))


@pytest.fixture
def visit() -> Callable[[User | None], Client]:
    """A client that is signed in as somebody, or as no one."""

    def client_of(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return client_of
