"""Which backend comes first: what is allowed, then what is liked, then the default, then what is up."""

from __future__ import annotations

import itertools

import pytest

from whisper_jobs.speech.backends import Backend, Policy, Preference, Refusal, order

BOTH: tuple[Backend, ...] = ("A", "B")


def letters(text: str) -> tuple[Backend, ...]:
    known: dict[str, Backend] = {"A": "A", "B": "B"}
    return tuple(known[letter] for letter in text)


@pytest.mark.parametrize(
    ("allowed", "default", "preference", "up", "expected"),
    [
        ("AB", "A", "any", "AB", "AB"),
        ("AB", "B", "any", "AB", "BA"),
        ("AB", "A", "B", "AB", "BA"),
        ("AB", "B", "A", "AB", "AB"),
        # One that is down is passed over.
        ("AB", "A", "B", "A", "A"),
        ("AB", "A", "any", "B", "B"),
        # What isn't allowed can't be had by liking it.
        ("A", "A", "B", "AB", "A"),
        ("B", "B", "A", "AB", "B"),
        # The order in which they are allowed says nothing.
        ("BA", "A", "any", "AB", "AB"),
    ],
)
def test_the_first_that_may_and_can_does_it(
    allowed: str, default: Backend, preference: Preference, up: str, expected: str
) -> None:
    policy = Policy(letters(allowed), default)
    assert order(policy, preference, up=letters(up)) == letters(expected)


def test_who_may_use_one_alone_waits_for_no_other() -> None:
    assert order(Policy(("B",), "B"), "any", up=letters("A")) == Refusal(("B",))
    assert order(Policy(BOTH, "A"), "any", up=()) == Refusal(BOTH)


def test_who_may_use_none_is_refused() -> None:
    assert order(Policy((), "A"), "any", up=BOTH) == Refusal(())


def test_nothing_is_ever_used_that_is_not_allowed_or_not_up() -> None:
    subsets: list[tuple[Backend, ...]] = [(), ("A",), ("B",), BOTH]
    preferences: list[Preference] = ["any", "A", "B"]
    for allowed, up, preference, default in itertools.product(subsets, subsets, preferences, BOTH):
        found = order(Policy(allowed, default), preference, up=up)
        if isinstance(found, tuple):
            assert set(found) == set(allowed) & set(up)
        else:
            assert not set(allowed) & set(up)
