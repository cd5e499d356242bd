"""manage.py create_user and create_token, as scripts use them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import tokens
from accounts.models import PersonalToken, Tenant, User


def run(*args: str) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_a_user_belongs_to_the_default_tenant(db: None) -> None:
    run("create_user", "Ann@Example.test", "--password", "x", "--perm", "whisper.use")
    ann = User.objects.get(email="ann@example.test")
    assert ann.tenant == Tenant.objects.default()
    assert ann.has_perm("whisper.use")


def test_a_tenant_is_made_where_it_is_new_and_shared_where_it_is_not(db: None) -> None:
    for name in ("ann", "ben"):
        run("create_user", f"{name}@example.test", "--password", "x", "--tenant", "Radio")
    assert set(User.objects.values_list("tenant__name", flat=True)) == {"Radio"}
    assert Tenant.objects.filter(name="Radio").count() == 1


def test_the_address_that_an_operator_gives_counts_as_verified(db: None) -> None:
    run("create_user", "ann@example.test", "--password", "x", "--admin")
    address = User.objects.get().emailaddress_set.get()
    assert (address.email, address.verified, address.primary) == ("ann@example.test", True, True)


def test_there_is_one_user_for_an_address(alice: User) -> None:
    with pytest.raises(CommandError, match="already a user"):
        run("create_user", alice.email.upper(), "--password", "x")


def test_a_token_is_one_line_of_json(alice: User) -> None:
    told = json.loads(run("create_token", alice.email, "--provider", "provider_whisper_api", "--name", "archive"))
    assert set(told) == {"token", "webhook_secret"}
    found = tokens.find(told["token"], tokens.API)
    assert found is not None
    assert (found.user, found.name) == (alice, "archive")


def test_ones_openai_key_is_read_and_never_printed(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-typed-in\n"))
    printed = run("create_token", alice.email, "--provider", "provider_openai")
    assert json.loads(printed) == {"provider": "provider_openai", "hint": "d-in"}
    assert "sk-typed-in" not in printed
    assert tokens.provider_key(alice) == "sk-typed-in"


def test_no_key_no_token(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="standard input"):
        run("create_token", alice.email, "--provider", "provider_openai")
    assert not PersonalToken.objects.exists()


@pytest.mark.parametrize("args", [("who@example.test", "provider_whisper_api"), ("alice@example.test", "provider_x")])
def test_strangers_and_unknown_providers_get_none(alice: User, args: Any) -> None:
    with pytest.raises(CommandError):
        run("create_token", args[0], "--provider", args[1])
