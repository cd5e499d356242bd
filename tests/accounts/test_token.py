"""Personal tokens: made, found, rotated, revoked, and what of them lies in the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import PersonalToken, User

API, OPENAI = tokens.API, tokens.OPENAI


def columns(pk: int) -> str:
    return repr(PersonalToken.objects.filter(pk=pk).values().get())


def test_a_token_is_found_by_its_clear_text_and_tells_its_owner(alice: User) -> None:
    new = tokens.create(alice, API, name="archive")
    found = tokens.find(new.token, API)
    assert found is not None
    assert (found.user, found.name, found.hint) == (alice, "archive", new.token[-4:])


def test_neither_token_nor_secret_lie_in_the_database_in_clear(alice: User) -> None:
    new = tokens.create(alice, API)
    kept = columns(PersonalToken.objects.get().pk)
    assert new.token not in kept
    assert new.webhook_secret not in kept
    assert new.webhook_secret.startswith("whsec_")


@pytest.mark.parametrize("text", ["", "tw_unknown", "x" * 10_000])
def test_what_is_no_token_finds_nothing(alice: User, text: str) -> None:
    tokens.create(alice, API)
    assert tokens.find(text, API) is None


def test_a_token_of_another_provider_finds_nothing(alice: User) -> None:
    assert tokens.find(tokens.create(alice, "provider_other").token, API) is None


def test_an_expired_token_finds_nothing(alice: User) -> None:
    new = tokens.create(alice, API, expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.find(new.token, API) is None


def test_a_revoked_token_finds_nothing(alice: User) -> None:
    new = tokens.create(alice, API)
    tokens.revoke(PersonalToken.objects.get())
    assert tokens.find(new.token, API) is None


def test_the_token_of_somebody_deactivated_finds_nothing(alice: User) -> None:
    new = tokens.create(alice, API)
    User.objects.update(is_active=False)
    assert tokens.find(new.token, API) is None


def test_use_is_noted_but_not_at_every_request(alice: User, django_assert_num_queries: Any) -> None:
    new = tokens.create(alice, API)
    tokens.find(new.token, API)
    assert PersonalToken.objects.get().last_used_at is not None
    with django_assert_num_queries(1):
        tokens.find(new.token, API)


def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one_alone(alice: User) -> None:
    old = tokens.create(alice, API).webhook_secret
    token = PersonalToken.objects.get()
    new = tokens.rotate_secret(token)
    assert new != old
    assert tokens.signing_secrets(token) == [new, old]
    PersonalToken.objects.update(previous_secret_until=timezone.now() - timedelta(seconds=1))
    assert tokens.signing_secrets(PersonalToken.objects.get()) == [new]


def test_a_second_rotation_ends_the_first_secret(alice: User) -> None:
    first = tokens.create(alice, API).webhook_secret
    token = PersonalToken.objects.get()
    second, third = tokens.rotate_secret(token), tokens.rotate_secret(token)
    assert tokens.signing_secrets(token) == [third, second]
    assert first not in tokens.signing_secrets(token)


def test_callbacks_of_a_revoked_token_are_still_signed(alice: User) -> None:
    secret = tokens.create(alice, API).webhook_secret
    token = PersonalToken.objects.get()
    tokens.revoke(token)
    assert tokens.signing_secrets(token) == [secret]


def test_ones_own_key_is_kept_sealed_and_given_to_its_owner_only(alice: User, bob: User) -> None:
    kept = tokens.store_provider_key(alice, "sk-secret-of-alice")
    assert tokens.provider_key(alice) == "sk-secret-of-alice"
    assert tokens.provider_key(bob) is None
    assert "sk-secret-of-alice" not in columns(kept.pk)
    assert kept.hint == "lice"


def test_a_new_key_replaces_the_old_one_and_removing_it_erases_it(alice: User) -> None:
    old = tokens.store_provider_key(alice, "sk-old")
    new = tokens.store_provider_key(alice, "sk-new")
    assert tokens.provider_key(alice) == "sk-new"
    tokens.revoke(new)
    assert tokens.provider_key(alice) is None
    assert set(PersonalToken.objects.filter(pk__in=[old.pk, new.pk]).values_list("sealed_key", flat=True)) == {""}


def test_the_key_of_somebody_deactivated_or_past_its_date_is_not_used(alice: User, bob: User) -> None:
    tokens.store_provider_key(alice, "sk-alice")
    alice.is_active = False
    assert tokens.provider_key(alice) is None
    tokens.store_provider_key(bob, "sk-bob", expires_at=timezone.now())
    assert tokens.provider_key(bob) is None


def test_under_another_secret_key_nothing_is_opened_and_nothing_fails(alice: User, settings: Any) -> None:
    tokens.create(alice, API)
    tokens.store_provider_key(alice, "sk-alice")
    settings.SECRET_KEY = "another"
    assert tokens.provider_key(alice) is None
    assert tokens.signing_secrets(PersonalToken.objects.get(provider=API)) == []


def test_a_former_secret_key_that_the_operator_keeps_still_opens(alice: User, settings: Any) -> None:
    tokens.store_provider_key(alice, "sk-alice")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert tokens.provider_key(alice) == "sk-alice"
