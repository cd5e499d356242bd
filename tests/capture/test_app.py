"""What a phone asks for: the manifest, the service worker, the page without a network, and sharing into the form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User

Visit = Callable[[User | None], Client]


def test_the_manifest_names_icons_that_are_there(visit: Visit, db: None) -> None:
    told = visit(None).get("/manifest.webmanifest")
    assert told["Content-Type"] == "application/manifest+json"
    assert {icon["purpose"] for icon in told.json()["icons"]} == {"any", "maskable"}
    assert told.json()["share_target"]["action"] == "/whisper/share-target"


def test_the_service_worker_serves_the_whole_site_and_is_never_kept(visit: Visit, db: None) -> None:
    answer = visit(None).get("/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "no-cache" in answer["Cache-Control"]


def test_the_page_without_a_network_holds_nothing_of_anybody(visit: Visit, alice: User) -> None:
    page = visit(alice).get("/offline").content.decode()
    assert "No connection" in page
    assert alice.email not in page


@pytest.mark.parametrize(
    ("shared", "filled"),
    [
        ({"url": "https://example.com/a.mp3"}, "?source_url=https%3A%2F%2Fexample.com%2Fa.mp3"),
        (
            {"title": "A talk", "text": "Listen: https://example.com/a b"},
            "?source_url=https%3A%2F%2Fexample.com%2Fa&source_label=A+talk",
        ),
        ({"title": "https://example.com/a"}, "?source_url=https%3A%2F%2Fexample.com%2Fa"),
        ({"text": "javascript:alert(1)"}, ""),
        ({"text": "\0"}, ""),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_shared_fills_the_form(
    visit: Visit, db: None, shared: dict[str, str], filled: str, method: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = getattr(client, method)("/whisper/share-target", shared)
    assert (answer.status_code, answer["Location"]) == (302, f"/whisper{filled}")


def test_a_shared_link_stands_in_the_form(visit: Visit, alice: User) -> None:
    page = visit(alice).get("/whisper?source_url=https%3A%2F%2Fexample.com%2Fa&source_label=%22%3E%3Cscript%3E").content
    assert b"https://example.com/a</textarea>" in page
    assert b"&quot;&gt;&lt;script&gt;" in page


def test_a_file_that_was_shared_before_there_was_a_service_worker_is_asked_for_again(visit: Visit, alice: User) -> None:
    client = visit(alice)
    answer = client.post("/whisper/share-target", {"media_file": SimpleUploadedFile("a.mp3", b"x")}, follow=True)
    assert "Choose the file here once more" in answer.content.decode()
