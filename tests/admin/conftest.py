"""Somebody at the admin pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

Act = Callable[..., Any]


@pytest.fixture
def desk(admin: User) -> Client:
    """The admin, signed in."""
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def act(desk: Client) -> Act:
    """`act("whisper_job", "cancel_chosen", job)` does what the list's action menu does."""

    def do(page: str, action: str, *rows: Any, **more: str) -> Any:
        sent = {"action": action, "_selected_action": [row.pk for row in rows], **more}
        return desk.post(reverse(f"admin:{page}_changelist"), sent, follow=True)

    return do
