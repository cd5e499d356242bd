"""/whisper/profiles: people make, change and delete their own profiles."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.conftest import person
from whisper_jobs import profiles
from whisper_jobs.models import Profile
from whisper_jobs.speech.captions import PRESETS

NEW = "/whisper/profiles/new"
ASKED = {
    "name": " Court  room ",
    "human_editing": "on",
    "min_speakers": "2",
    "max_speakers": "4",
    "model": "auto",
    "language": "sv",
    "captions": "broadcast",
    "max_line": "32",
    "callback_url": "https://hooks.example.com/x",
    "required_metadata": "case\r\njudge, case\n",
}


def test_a_profile_is_made_changed_and_deleted(visit: Any, alice: User) -> None:
    client = visit(alice)
    assert "The profile is kept." in client.post(NEW, ASKED, follow=True).content.decode()
    made = Profile.objects.get()
    assert (made.owner, made.name, made.human_editing, made.speaker_names) == (alice, "Court room", True, False)
    assert (made.min_speakers, made.max_speakers, made.language, made.model) == (2, 4, "sv", "auto")
    assert made.required_metadata == ["case", "judge"]
    rules = profiles.caption_rules(made)
    assert rules is not None and (rules.max_line, rules.max_lines) == (32, 2)

    page = client.get(f"/whisper/profiles/{made.pk}").content.decode()
    assert "case\njudge" in page and "https://hooks.example.com/x" in page
    client.post(f"/whisper/profiles/{made.pk}", {**ASKED, "name": "Court", "captions": "plain", "max_line": ""})
    made.refresh_from_db()
    assert (made.name, profiles.caption_rules(made)) == ("Court", None)
    client.post(f"/whisper/profiles/{made.pk}/delete")
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "Automatic"}, "There is a built-in profile of this name."),
        ({"name": "COURT"}, "You have a profile of this name."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"max_speakers": "1"}, "This is fewer than the least number of speakers."),
        ({"min_speakers": "0"}, "greater than or equal to 1"),
        ({"language": "klingon"}, "Select a valid choice"),
        ({"model": "gpt-9"}, "Select a valid choice"),
        ({"captions": "plain"}, "Segments as they are have no limits."),
        ({"max_line": "9"}, "greater than or equal to 10"),
        ({"callback_url": "http://127.0.0.1/hook"}, "not on the public internet"),
        ({"callback_url": "javascript:alert(1)"}, 'class="error"'),
        ({"required_metadata": "\n".join(str(n) for n in range(51))}, "Name at most 50"),
    ],
)
def test_what_can_t_be_kept_is_refused_in_words(visit: Any, alice: User, sent: dict[str, str], told: str) -> None:
    Profile.objects.create(owner=alice, name="court")
    answer = visit(alice).post(NEW, {**ASKED, **sent})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert Profile.objects.count() == 1


def test_everybody_has_their_own(visit: Any, alice: User, bob: User) -> None:
    hers = Profile.objects.create(owner=alice, name="Court")
    client = visit(bob)
    assert "Court" not in client.get("/whisper/profiles").content.decode()
    for path in (f"/whisper/profiles/{hers.pk}", f"/whisper/profiles/{hers.pk}/delete"):
        assert client.post(path, ASKED).status_code == 404
    assert client.post(NEW, {**ASKED, "name": "Court"}).status_code == 302
    assert Profile.objects.filter(name="Court").count() == 2


def test_there_is_room_for_so_many(visit: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "MOST_PROFILES", 0)
    assert "as many profiles" in visit(alice).post(NEW, ASKED).content.decode()
    assert not Profile.objects.exists()


def test_scripts_in_a_name_are_words(visit: Any, alice: User) -> None:
    Profile.objects.create(owner=alice, name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in visit(alice).get("/whisper/profiles").content.decode()


def test_a_model_that_went_away_stays_chosen(visit: Any, alice: User) -> None:
    mine = Profile.objects.create(owner=alice, name="Court", model="gone-model", language="")
    client = visit(alice)
    assert '<option value="gone-model" selected>' in client.get(f"/whisper/profiles/{mine.pk}").content.decode()
    told = {"name": "Court", "model": "gone-model", "captions": "web"}
    assert client.post(f"/whisper/profiles/{mine.pk}", told).status_code == 302


def test_the_way_there_is_on_the_account_s_page_of_those_whom_it_is_for(visit: Any, alice: User) -> None:
    assert "/whisper/profiles" not in visit(alice).get("/account/").content.decode()
    assert "/whisper/profiles" in visit(person("robin", "whisper.use", "whisper.api")).get("/account/").content.decode()


def test_built_in_ones_are_found_by_everybody(alice: User) -> None:
    automatic, edited = profiles.find(alice, "AUTOMATIC"), profiles.find(alice, "Edited")
    assert automatic is not None and edited is not None
    assert (automatic.human_editing, automatic.speaker_names, edited.human_editing) == (False, True, True)
    assert profiles.caption_rules(automatic) == PRESETS["web"]
    assert profiles.find(alice, "other") is None
