"""The mail: what it says, in whose words, how it is stopped, and what happens while the mail server is away."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.core.play import Stage
from tests.notices.conftest import due_now, send, states
from whisper_jobs import notice_letters
from whisper_jobs.models import Notice, Segment, Transcript

URL = "http://127.0.0.1:8000"


def test_it_tells_title_first_words_and_link(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    job = stage.completed(mailed, source_label="Board meeting")
    send()
    (mail,) = mailoutbox
    assert mail.to == [mailed.email]
    assert mail.subject == "The transcript is ready: Board meeting"
    html = mail.alternatives[0][0]
    for text in (mail.body, html):
        assert f"{URL}/whisper/jobs/{job.pk}" in text
        assert "done" in text
    assert states() == ["sent"]


def test_it_tells_the_words_as_they_were_corrected(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    job = stage.completed(mailed)
    Segment.objects.filter(job=job).update(text="Corrected.")
    Transcript.objects.filter(job=job).update(is_stale=True)
    send()
    assert "Corrected." in mailoutbox[0].body


def test_a_hostile_title_neither_adds_headers_nor_markup(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    stage.completed(mailed, source_label="A\r\nBcc: eve@example.test\r\n<script>alert(1)</script>\u202egnp")
    send()
    (mail,) = mailoutbox
    assert mail.subject == "The transcript is ready: A Bcc: eve@example.test <script>alert(1)</script>gnp"
    assert mail.message()["Bcc"] is None
    assert "<script>" not in mail.alternatives[0][0]
    assert "<script>" in mail.body


def test_one_click_stops_further_mails(
    stage: Stage, mailed: User, mailoutbox: list[Any], visit: Callable[[User | None], Client]
) -> None:
    stage.completed(mailed)
    send()
    sent = mailoutbox[0].extra_headers
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = re.fullmatch(rf"<{URL}(/.+)>", sent["List-Unsubscribe"])
    assert path
    provider = Client(enforce_csrf_checks=True)
    assert provider.post(path[1], {"List-Unsubscribe": "One-Click"}).status_code == 200
    mailed.refresh_from_db()
    assert not mailed.mails_when_done


def test_the_link_in_the_mail_asks_first(mailed: User, visit: Callable[[User | None], Client]) -> None:
    """Programs that look at links in mails would stop them otherwise."""
    path = f"/account/notices/stop/{notice_letters.token_of(mailed)}"
    page = visit(None).get(path)
    assert "Stop these mails" in page.content.decode()
    mailed.refresh_from_db()
    assert mailed.mails_when_done


def test_a_link_that_was_changed_stops_nothing(mailed: User, bob: User, visit: Callable[[User | None], Client]) -> None:
    signature = notice_letters.token_of(bob).split(":")[1]
    assert visit(None).post(f"/account/notices/stop/{mailed.pk}:{signature}").status_code == 404
    mailed.refresh_from_db()
    assert mailed.mails_when_done


def test_who_stopped_them_meanwhile_gets_none(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    stage.completed(mailed)
    User.objects.filter(pk=mailed.pk).update(mails_when_done=False)
    send()
    assert (mailoutbox, states()) == ([], [])


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), TimeoutError(), smtplib.SMTPServerDisconnected(), smtplib.SMTPDataError(451, b"")],
)
def test_while_the_mail_server_is_away_it_waits(
    stage: Stage, mailed: User, mailoutbox: list[Any], monkeypatch: Any, error: Exception
) -> None:
    def refuse(*args: Any) -> None:
        raise error

    stage.completed(mailed)
    with monkeypatch.context() as away:
        away.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        send()
    assert states() == ["due"]
    assert Notice.objects.get().attempts == 1
    due_now()
    send()
    assert len(mailoutbox) == 1


def test_a_mail_that_is_sent_twice_has_one_id(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    stage.completed(mailed)
    send()
    Notice.objects.update(state="due")
    due_now()
    send()
    assert len(mailoutbox) == 2
    assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 1
