"""The callback on its job's page: how it stands, what was tried, sending it again without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from accounts.models import User
from tests.callbacks.conftest import only, send
from tests.callbacks.receiver import Receiver, status
from tests.core.play import Stage
from whisper_jobs import broadcast, callbacks, posting
from whisper_jobs.models import DeliveryState, Job

Make = Callable[..., Job]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, job: Job) -> str:
    return client.get(f"/whisper/jobs/{job.pk}").content.decode()


def test_the_page_tells_what_was_tried(completed: Make, receiver: Receiver, alice: User) -> None:
    job = completed()
    receiver.answers = [status(503)]
    send()
    shown = page(signed_in(alice), job)
    assert receiver.url in shown
    assert ">Waiting<" in shown
    assert posting.FAILURES["answer"] in shown
    assert ">503<" in shown
    assert "Next attempt" in shown


def test_a_page_of_a_job_without_a_callback_has_no_such_part(stage: Stage, alice: User) -> None:
    job = stage.completed(alice, windows=1)
    assert 'id="callback"' not in page(signed_in(alice), job)


def test_before_the_job_has_ended_nothing_can_be_sent_again(stage: Stage, alice: User, asked: dict[str, Any]) -> None:
    job = stage.submit(alice, **asked)
    shown = page(signed_in(alice), job)
    assert "It is sent when the job has ended." in shown
    assert 'data-field="callback-again" hidden' in shown


def test_send_again_works_without_scripts(completed: Make, receiver: Receiver, alice: User) -> None:
    job = completed()
    send()
    client = signed_in(alice)
    answer = client.post(f"/whisper/jobs/{job.pk}/callback", follow=True)
    assert "The callback is sent again." in answer.content.decode()
    send()
    assert len(receiver.calls) == 2


def test_one_on_its_way_is_refused_with_a_sentence(completed: Make, alice: User) -> None:
    job = completed()
    callbacks.claim("w", slots=1, room=lambda host: 1)
    answer = signed_in(alice).post(f"/whisper/jobs/{job.pk}/callback", follow=True)
    assert "being sent at this moment" in answer.content.decode()


def test_others_can_not_send_it(completed: Make, bob: User) -> None:
    job = completed()
    assert signed_in(bob).post(f"/whisper/jobs/{job.pk}/callback").status_code == 404
    assert Client().post(f"/whisper/jobs/{job.pk}/callback").status_code == 302
    assert only().state == DeliveryState.DUE


def test_a_form_without_the_token_against_forgery_is_refused(completed: Make, alice: User) -> None:
    job = completed()
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(f"/whisper/jobs/{job.pk}/callback").status_code == 403


def test_pages_hear_of_every_attempt(
    completed: Make, receiver: Receiver, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = completed()
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(broadcast, "push", told.extend)
    with django_capture_on_commit_callbacks(execute=True):
        send()
    (message,) = [message for group, message in told if message["type"] == "callback"]
    assert (broadcast.job_group(job.pk), message) in told
    assert message["callback"]["status"] == "delivered"
    assert message["callback"]["log"][0]["http_status"] == 200
    assert message["revision"] > job.revision
