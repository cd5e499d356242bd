"""No test leaves a query half read, as by an answer that is sent in pieces and that nobody has read: it would stay open until the
garbage collector finds it, in the middle of another test, and while it is open SQLite can't cut its log."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from types import GeneratorType
from typing import Any, TypeAlias, cast

import pytest
from django.db.models.sql import compiler

Rows: TypeAlias = "GeneratorType[Any, None, None]"
Queries: TypeAlias = "weakref.WeakSet[Rows]"


@pytest.fixture(scope="session")
def _queries() -> Iterator[Queries]:
    """Those that are read in pieces, as long as somebody has them."""
    queries: Queries = weakref.WeakSet()
    original = compiler.cursor_iter

    def noted(*args: Any) -> Rows:
        rows = cast("Rows", original(*args))
        queries.add(rows)
        return rows

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compiler, "cursor_iter", noted)
        yield queries


@pytest.fixture(autouse=True)
def _is_half_read(_queries: Queries) -> Iterator[None]:
    yield
    left = [rows for rows in _queries if rows.gi_frame is not None]
    for rows in left:
        rows.close()
    assert not left, "a query is half read: has the test read the whole of the answer?"
