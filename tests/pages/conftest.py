"""The Swedish texts, compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "sv" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="session", autouse=True)
def swedish() -> None:
    """Compiled catalogues are not in the tree."""
    with CATALOGUE.open("rb") as texts, CATALOGUE.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, read_po(texts, locale="sv"))
