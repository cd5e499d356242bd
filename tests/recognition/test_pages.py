"""The pages about speakers, and the job's part that names them, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from accounts.permissions import grant
from tests.conftest import person
from tests.pages.browsing import tone
from tests.recognition.conftest import Enrol, Hear, names, near, spoken, voice
from whisper_jobs import speaker_nodes, voices
from whisper_jobs.models import JobVoice, Speaker, VoiceSample
from whisper_jobs.web.speaker_forms import consent_text

Visit = Callable[[User | None], Client]
FIELDS = {
    "display_name": "Åsa <b>Öberg</b>",
    "language_primary": "sv",
    "scope": "user",
    "description": "",
    "consent_user_full_name": "Åsa Maria Öberg",
    "consent_stated_purpose": "Minutes",
    "consent_text": "I agree.",
}


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no workers, and no broker that could tell them."""
    monkeypatch.setattr(speaker_nodes, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(speaker_nodes, "announce", lambda _speaker: True)


@pytest.fixture
def client(visit: Visit, enroller: User) -> Client:
    return visit(enroller)


def shown(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content, "utf-8")


def enrol_by_form(client: Client, reference: bytes = b"", consent: bytes = b"", **fields: str) -> Any:
    files = {
        "reference": SimpleUploadedFile("voice.wav", reference or tone(5.0)),
        "consent": SimpleUploadedFile("consent.wav", consent or tone(2.0)),
    }
    return client.post("/whisper/speakers", {**FIELDS, **fields, **files})


# --- the list ---------------------------------------------------------------------------------------


def test_the_list_shows_who_is_enrolled_and_nobody_else_s(
    client: Client, enroller: User, bob: User, enrol: Enrol
) -> None:
    enrol(enroller, "Ada <i>", voice(1))
    enrol(bob, "Hidden", voice(2))
    enrol(bob, "Shared", voice(3), scope="tenant")
    page = shown(client.get("/whisper/speakers"))
    assert "Ada &lt;i&gt;" in page
    assert "Shared" in page
    assert "Hidden" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=ad", ["Ada"]),
        ("?scope=tenant", ["Ben"]),
        ("?status=failed", ["Cleo"]),
        ("?scope=nonsense&page=x", ["Ada", "Ben", "Cleo"]),
    ],
)
def test_the_list_is_narrowed(client: Client, enroller: User, enrol: Enrol, query: str, found: list[str]) -> None:
    enrol(enroller, "Ada", voice(1))
    enrol(enroller, "Ben", voice(2), scope="tenant")
    enrol(enroller, "Cleo", voice(3), enrollment_status="failed")
    page = shown(client.get(f"/whisper/speakers{query}"))
    assert [name for name in ("Ada", "Ben", "Cleo") if f">{name}</a>" in page] == found


def test_a_long_list_has_pages_and_few_queries(
    client: Client, enroller: User, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    rows = [
        Speaker(owner=enroller, tenant_id=enroller.tenant_id, display_name=f"Number {n}", enrollment_status="ready")
        for n in range(120)
    ]
    Speaker.objects.bulk_create(rows)
    with django_assert_max_num_queries(15):
        page = shown(client.get("/whisper/speakers?page=2&q=Number"))
    assert page.count(">Number ") == 50
    assert "page=1" in page
    assert "page=3" in page


def test_the_pages_are_for_those_who_may_enrol(visit: Visit, bob: User, enroller: User, enrol: Enrol) -> None:
    ada = enrol(enroller, "Ada", voice(1), scope="tenant")
    for path in ("/whisper/speakers", f"/whisper/speakers/{ada.pk}", f"/whisper/speakers/{ada.pk}/erase"):
        assert visit(bob).get(path).status_code == 403
        assert visit(None).get(path).status_code == 302
    assert "/whisper/speakers" not in shown(visit(bob).get("/whisper"))
    assert "/whisper/speakers" in shown(visit(enroller).get("/whisper"))


# --- enrolling --------------------------------------------------------------------------------------


def test_what_is_missing_is_told_at_its_field_and_what_was_typed_stays(client: Client) -> None:
    page = shown(client.post("/whisper/speakers", {**FIELDS, "consent_text": ""}), 422)
    assert 'value="Åsa Maria Öberg"' in page
    for name in ("consent_text", "consent", "reference"):
        assert f'id="id_{name}_error"' in page, name
    assert Speaker.objects.count() == 0


def test_a_reference_that_is_not_good_enough_says_why_and_what_to_do(client: Client) -> None:
    page = shown(enrol_by_form(client, consent=spoken(4.0)), 422)
    assert "not good enough" in page
    assert "There is too little speech in the recording. Record half a minute of it." in page
    assert "5.0 s" in page
    assert Speaker.objects.count() == 0


def test_a_consent_in_which_nobody_speaks_is_none(client: Client) -> None:
    page = shown(enrol_by_form(client, reference=spoken(12.0)), 422)
    assert 'id="id_consent_error"' in page
    assert Speaker.objects.count() == 0


@pytest.mark.engine
def test_somebody_is_enrolled_and_shown(client: Client, enroller: User) -> None:
    answer = enrol_by_form(client, reference=spoken(12.0), consent=spoken(4.0))
    speaker = Speaker.objects.get()
    assert answer.status_code == 302, answer.content[:3000]
    assert answer["Location"] == f"/whisper/speakers/{speaker.pk}"
    assert (speaker.owner, speaker.enrollment_status, speaker.consent_text) == (enroller, "ready", "I agree.")
    page = shown(client.get(answer["Location"]))
    assert "Åsa &lt;b&gt;Öberg&lt;/b&gt;” is enrolled" in page
    assert "Swedish" in page


def test_a_wider_scope_is_offered_to_those_who_may_choose_it(visit: Visit, client: Client, admin: User) -> None:
    assert 'value="tenant"' not in shown(client.get("/whisper/speakers")).split('id="enrol-form"')[1]
    assert 'value="global"' in shown(visit(admin).get("/whisper/speakers")).split('id="enrol-form"')[1]
    assert 'id="id_scope_error"' in shown(enrol_by_form(client, scope="tenant"), 422)


def test_the_text_to_agree_to_is_there_to_be_read(client: Client) -> None:
    assert "{name}" in consent_text()
    assert "I agree that this server keeps a recording of my voice" in shown(client.get("/whisper/speakers"))


# --- one speaker ------------------------------------------------------------------------------------


def test_a_speaker_s_page_tells_where_they_were_heard(client: Client, enroller: User, enrol: Enrol, hear: Hear) -> None:
    ada = enrol(enroller, "Ada", voice(1))
    job = hear(enroller, {"SPEAKER_00": near(voice(1), 0.9)})
    page = shown(client.get(f"/whisper/speakers/{ada.pk}"))
    assert f'href="/whisper/jobs/{job.pk}#speech"' in page
    assert "likeness 0.90" in page
    assert "No worker that could hold the voice is up now." in page


def test_a_profile_is_changed(client: Client, enroller: User, enrol: Enrol) -> None:
    ada = enrol(enroller, "Ada", voice(1))
    url = f"/whisper/speakers/{ada.pk}"
    assert client.post(url, {"display_name": "Ada L.", "description": "Chair"}).status_code == 302
    ada.refresh_from_db()
    assert (ada.display_name, ada.description) == ("Ada L.", "Chair")
    assert "id_display_name_error" in shown(client.post(url, {"display_name": ""}), 422)


def test_what_is_somebody_else_s_is_seen_and_not_changed(client: Client, bob: User, enrol: Enrol) -> None:
    ada = enrol(bob, "Ada", voice(1), scope="tenant", consent_user_full_name="Augusta Ada King")
    url = f"/whisper/speakers/{ada.pk}"
    page = shown(client.get(url))
    assert "Augusta" not in page
    assert "/erase" not in page
    client.post(url, {"display_name": "Mine", "description": ""})
    client.post(url, {"act": "warm"})
    client.post(f"{url}/erase", {"sure": "on"})
    ada.refresh_from_db()
    assert (ada.display_name, ada.tombstoned_at) == ("Ada", None)
    assert "not change it" in shown(client.get(url))


def test_a_speaker_whom_one_may_not_see_is_not_there(client: Client, bob: User, enrol: Enrol) -> None:
    ada = enrol(bob, "Ada", voice(1))
    assert client.get(f"/whisper/speakers/{ada.pk}").status_code == 404
    assert client.post(f"/whisper/speakers/{ada.pk}/erase", {"sure": "on"}).status_code == 404


def test_erasing_asks_first_and_gives_a_receipt(client: Client, enroller: User, enrol: Enrol, hear: Hear) -> None:
    ada = enrol(enroller, "Ada", voice(1))
    job = hear(enroller, {"SPEAKER_00": near(voice(1), 0.9)})
    url = f"/whisper/speakers/{ada.pk}/erase"
    assert "can&#x27;t be undone" in shown(client.get(url))
    assert "Tick this first." in shown(client.post(url, {}), 422)
    assert names(job) == ["Ada"]
    receipt = shown(client.post(url, {"sure": "on"}))
    assert str(ada.pk) in receipt
    assert "Entry of the audit log" in receipt
    ada.refresh_from_db()
    assert (ada.display_name, ada.enrollment_status) == ("", "evicted")
    assert not VoiceSample.objects.exists()
    assert not JobVoice.objects.filter(speaker__isnull=False).exists()
    assert client.get(f"/whisper/speakers/{ada.pk}").status_code == 404
    assert "speaker_id" not in str(job.diarization.speakers)


# --- the job's page ---------------------------------------------------------------------------------


def test_a_recording_shows_who_was_recognised_and_takes_it_back(
    client: Client, enroller: User, enrol: Enrol, hear: Hear
) -> None:
    ada = enrol(enroller, "Ada", voice(1))
    job = hear(enroller, {"SPEAKER_00": near(voice(1), 0.9), "SPEAKER_01": voice(5)})
    page = shown(client.get(f"/whisper/jobs/{job.pk}"))
    assert f'<a href="/whisper/speakers/{ada.pk}">Recognised by the voice</a>' in page
    client.post(f"/whisper/jobs/{job.pk}/speech", {"act": "deny", "label": "SPEAKER_00"})
    assert names(job) == [None, None]
    page = shown(client.get(f"/whisper/jobs/{job.pk}/speech"))
    assert "Recognised by the voice" not in page
    assert f'<option value="{ada.pk}">Ada</option>' in page


def test_somebody_is_named_by_the_form(client: Client, enroller: User, enrol: Enrol, hear: Hear) -> None:
    ada = enrol(enroller, "Ada", voice(1))
    job = hear(enroller, {"SPEAKER_00": voice(4), "SPEAKER_01": voice(5)})
    url = f"/whisper/jobs/{job.pk}/speech"
    answer = client.post(url, {"act": "identify", "label": "SPEAKER_01", "speaker": str(ada.pk)})
    assert answer["Location"] == f"/whisper/jobs/{job.pk}#speech"
    assert names(job) == [None, "Ada"]
    assert VoiceSample.objects.filter(speaker=ada, job=job, label="SPEAKER_01").exists()
    sample = voices.load(VoiceSample.objects.get(job=job).sealed)
    assert sample is not None
    for wrong in ({"speaker": "nonsense"}, {"speaker": str(ada.pk), "label": "SPEAKER_77"}, {}):
        client.post(url, {"act": "identify", "label": "SPEAKER_00", **wrong})
    assert names(job) == [None, "Ada"]


def test_who_may_not_enrol_sees_that_somebody_was_recognised_and_no_more(
    visit: Visit, enroller: User, enrol: Enrol, hear: Hear
) -> None:
    carol = person("carol", "whisper.use")
    ada = enrol(enroller, "Ada", voice(1), scope="tenant")
    job = hear(carol, {"SPEAKER_00": near(voice(1), 0.9)})
    page = shown(visit(carol).get(f"/whisper/jobs/{job.pk}"))
    assert "Recognised by the voice" in page
    assert str(ada.pk) not in page.split('id="speech"')[1].split("</section>")[0]
    assert "Name an enrolled speaker" not in page
    grant(carol, "scaiecho:enroll")
    assert "Name an enrolled speaker" in shown(visit(User.objects.get(pk=carol.pk)).get(f"/whisper/jobs/{job.pk}"))
