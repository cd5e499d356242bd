"""The page of the library as a browser without scripts sees it: search, filters, order, pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage
from tests.library.conftest import Recording
from whisper_jobs import tagging, trash
from whisper_jobs.library import PAGE_OF_JOBS
from whisper_jobs.models import Diarization, Job, SavedView

Visit = Callable[[User | None], Client]
LIBRARY = "/whisper/library"


def titles(page: str) -> list[str]:
    found = re.findall(r'<p class="find-title">(.*?)</p>', page)
    return [re.sub("<[^>]*>", "", one) for one in found]


@pytest.fixture
def shelf(recording: Recording, alice: User) -> dict[str, Job]:
    made = {
        "Budget": recording(alice, "Budget", ["the taxes rise"], language="en"),
        "Aria": recording(alice, "Aria", ["la voce"], language="it", channel="api"),
        "Choir": recording(alice, "Choir", ["the song"], language="en"),
    }
    Job.objects.update(detected_language="")
    for place, job in enumerate(made.values()):
        told = {
            "source_duration_seconds": 100.0 * (5 - place),
            "created_at": timezone.now() - timedelta(days=9 - place),
        }
        Job.objects.filter(pk=job.pk).update(**told)
    Diarization.objects.update_or_create(
        job=made["Choir"],
        defaults={"speakers": [{"label": f"SPEAKER_0{n}", "name": None, "seconds": 1} for n in range(3)]},
    )
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Choir", "Aria", "Budget"]),
        ("q=the", ["Choir", "Budget"]),
        ("q=the+-song", ["Budget"]),
        ("q=th%00e", ["Choir", "Budget"]),
        ("sort=oldest", ["Budget", "Aria", "Choir"]),
        ("sort=title", ["Aria", "Budget", "Choir"]),
        ("sort=longest", ["Budget", "Aria", "Choir"]),
        ("sort=sideways", ["Choir", "Aria", "Budget"]),
        ("language=it", ["Aria"]),
        ("language=xx", ["Choir", "Aria", "Budget"]),
        ("channel=api", ["Aria"]),
        ("speakers=3", ["Choir"]),
        ("speakers=2", []),
        ("status=failed", []),
        ("status=completed&q=the", ["Choir", "Budget"]),
        ("page=2", []),
        ("page=0", ["Choir", "Aria", "Budget"]),
        ("page=99999999999999999999", ["Choir", "Aria", "Budget"]),
        ("tag=99999", ["Choir", "Aria", "Budget"]),
        ("view=trash", []),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_the_address_says_what_is_shown(visit: Visit, alice: User, query: str, expected: list[str]) -> None:
    assert titles(visit(alice).get(f"{LIBRARY}?{query}").text) == expected


def test_days_narrow(visit: Visit, alice: User, shelf: dict[str, Job]) -> None:
    day = (timezone.now() - timedelta(days=8)).date()
    assert titles(visit(alice).get(f"{LIBRARY}?since={day}&until={day}").text) == ["Aria"]
    assert titles(visit(alice).get(f"{LIBRARY}?until={day}").text) == ["Aria", "Budget"]
    assert titles(visit(alice).get(f"{LIBRARY}?since=tomorrow").text) == ["Choir", "Aria", "Budget"]


def test_a_tag_narrows_and_only_its_owner_knows_it(
    visit: Visit, alice: User, charlie: User, shelf: dict[str, Job]
) -> None:
    (tag,) = tagging.called(alice, ["Music"])
    tagging.put_on(tag.owner, [tag], [shelf["Aria"].pk])
    assert titles(visit(alice).get(f"{LIBRARY}?tag={tag.pk}").text) == ["Aria"]
    page = visit(charlie).get(f"{LIBRARY}?tag={tag.pk}").text
    assert titles(page) == ["Choir", "Aria", "Budget"]
    assert "Music" not in page


def test_managers_narrow_by_owner(visit: Visit, alice: User, bob: User, charlie: User, recording: Recording) -> None:
    recording(alice, "Hers")
    recording(bob, "His")
    assert titles(visit(charlie).get(f"{LIBRARY}?owner=bob").text) == ["His"]
    assert titles(visit(alice).get(f"{LIBRARY}?owner=bob").text) == ["Hers"]


def test_what_was_found_is_shown_with_its_time_and_marked(visit: Visit, alice: User, recording: Recording) -> None:
    job = recording(alice, "Tax <b>", ["nothing"] * 9 + ["a <script>tax</script>"])
    page = visit(alice).get(f"{LIBRARY}?q=tax").text
    assert f'href="/whisper/jobs/{job.pk}#t=90">1:30</a>' in page
    assert "&lt;script&gt;<mark>tax</mark>&lt;/script&gt;" in page
    assert "<mark>Tax</mark> &lt;b&gt;" in page


def test_pages_lead_on_and_back(visit: Visit, alice: User, stage: Stage) -> None:
    for number in range(PAGE_OF_JOBS + 2):
        stage.submit(alice, source_label=f"Talk {number}")
    first = visit(alice).get(f"{LIBRARY}?q=talk").text
    assert len(titles(first)) == PAGE_OF_JOBS
    assert 'href="/whisper/library?q=talk&amp;page=2"' in first
    second = visit(alice).get(f"{LIBRARY}?q=talk&page=2").text
    assert titles(second) == ["Talk 1", "Talk 0"]
    assert 'href="/whisper/library?q=talk"' in second


def test_queries_do_not_grow_with_the_page(visit: Visit, alice: User, recording: Recording) -> None:
    client = visit(alice)

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(f"{LIBRARY}?q=word")
        return len(seen)

    (tag,) = tagging.called(alice, ["Music"])
    tagging.put_on(tag.owner, [tag], [recording(alice, "One", ["word"]).pk])
    client.get(LIBRARY)
    few = asked()
    for _ in range(6):
        tagging.put_on(tag.owner, [tag], [recording(alice, "More", ["word"]).pk])
    assert asked() == few


def test_the_script_gets_the_list_alone(visit: Visit, alice: User, recording: Recording) -> None:
    recording(alice, "Talk", ["word"])
    part = visit(alice).get(f"{LIBRARY}?q=word", headers={"x-library-part": "1"}).text
    assert titles(part) == ["Talk"]
    assert "<html" not in part


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("", "Nothing here yet"), ("?q=x", "No recording matches"), ("?view=trash", "The trash is empty")],
)
def test_empty_places_say_so(visit: Visit, alice: User, query: str, sentence: str) -> None:
    assert sentence in visit(alice).get(LIBRARY + query).text


def test_a_search_is_kept_opened_renamed_and_deleted(visit: Visit, alice: User, bob: User) -> None:
    client = visit(alice)
    query = "q=tax%26more&status=completed"
    client.post(f"{LIBRARY}/keep", {"name": " My  search ", "next": query})
    view = SavedView.objects.get(owner=alice)
    assert (view.name, view.query) == ("My search", query)
    page = client.get(f"{LIBRARY}?{query}").text
    assert f'href="/whisper/library?{query.replace("&", "&amp;")}" aria-current="page">My search' in page
    address = f"{LIBRARY}/views/{view.pk}"
    assert visit(bob).post(address, {"action": "delete"}).status_code == 404
    client.post(address, {"action": "keep", "name": "Other"})
    assert SavedView.objects.get().name == "Other"
    client.post(address, {"action": "delete"})
    assert not SavedView.objects.exists()


def test_a_kept_search_leads_nowhere_else(visit: Visit, alice: User) -> None:
    answer = visit(alice).post(f"{LIBRARY}/keep", {"name": "x", "next": "//evil.example?q=1\r\nx: y"})
    assert answer.headers["location"].startswith(f"{LIBRARY}?")


@pytest.mark.parametrize("name", ["", " ", "\0", "x" * 51])
def test_a_search_needs_a_name(visit: Visit, alice: User, name: str) -> None:
    client = visit(alice)
    client.post(f"{LIBRARY}/keep", {"name": name, "next": "q=x"})
    assert not SavedView.objects.exists()
    assert "at most 50 characters" in client.get(LIBRARY).text


def test_who_may_come_in(visit: Visit, nobody: User) -> None:
    for path in (LIBRARY, f"{LIBRARY}/shelves"):
        assert visit(nobody).get(path).status_code == 403
        assert visit(None).get(path).status_code == 302
    assert visit(nobody).post(f"{LIBRARY}/act", {}).status_code == 403


def test_the_trash_is_the_last_first(visit: Visit, alice: User, shelf: dict[str, Job]) -> None:
    for title in ("Choir", "Budget"):
        trash.discard(shelf[title].pk)
    page = visit(alice).get(f"{LIBRARY}?view=trash").text
    assert titles(page) == ["Budget", "Choir"]
    assert f'href="/whisper/jobs/{shelf["Budget"].pk}"' not in page


@pytest.mark.parametrize("asked", ["until=9999-12-31", "since=0001-01-01&until=0001-01-01", "since=9999-12-31"])
def test_a_day_at_the_end_of_the_calendar_does_not_narrow_anything(
    visit: Visit, alice: User, shelf: dict[str, Job], asked: str
) -> None:
    answer = visit(alice).get(f"{LIBRARY}?{asked}")
    assert answer.status_code == 200
    assert len(titles(answer.content.decode())) == len(shelf)
