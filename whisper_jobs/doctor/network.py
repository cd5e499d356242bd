"""What only the network can tell: is the internet reached, do clocks agree, does the relay take the key. Asked for by name.

All goes through the guard, as everything that leaves this machine.
"""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import parsedate_to_datetime

import httpx2
from django.conf import settings
from django.core.mail import get_connection
from django.utils.translation import gettext as _

from whisper_jobs.doctor.finding import Finding, State
from whisper_jobs.doctor.work import clock
from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard, translated_errors
from whisper_jobs.pipeline import relay

SECONDS = 5.0
ANSWER_BYTES = 1 << 20
#: Where models come from: the address that this product would open anyway.
PROBE = "https://huggingface.co/robots.txt"


def asked(url: str, guard: Guard, headers: dict[str, str] | None = None) -> httpx2.Response:
    """One GET. Raises JobError."""
    guard.check_url(url)
    with (
        translated_errors(),
        guard.client(timeout=SECONDS, total_timeout=SECONDS, max_bytes=ANSWER_BYTES, headers=headers) as client,
    ):
        return client.get(url)


def internet(url: str, guard: Guard) -> list[Finding]:
    """Whether callbacks and downloads get out, and what time it is there."""
    try:
        answer = asked(url, guard)
    except JobError:
        sentence = _("No public HTTPS address can be opened from here: callbacks, links and downloads of models fail.")
        advice = _("Let the server through the firewall, or hand in files and copy models into the models folder.")
        return [Finding("internet", State.WARN, sentence, advice)]
    findings = [Finding("internet", State.OK, _("Public HTTPS addresses can be opened, so callbacks get out."))]
    ahead = _ahead(answer)
    return findings if ahead is None else [*findings, replace(clock({answer.url.host: ahead}), name="clock-net")]


def _ahead(answer: httpx2.Response) -> float | None:
    """By how much the server's Date is ahead of this machine; it has whole seconds."""
    try:
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return told.timestamp() + 0.5 - time.time()


def check_internet() -> list[Finding]:
    return internet(PROBE, Guard(settings.TOOLS.outbound_allow))


def check_relay() -> list[Finding]:
    """Whether the relay answers and takes the key, by its list of models: costs nothing."""
    server = relay.relay()
    if server is None:
        return []
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    try:
        answer = asked(f"{server.base_url.rstrip('/')}/models", server.guard, headers)
    except JobError:
        advice = _("See that it runs and that TOOLS_RELAY_BASE_URL is right.")
        return [Finding("relay-reach", State.FAIL, _("The relay does not answer."), advice)]
    if answer.status_code in (401, 403):
        sentence = _("The relay does not accept the key.")
        return [Finding("relay-reach", State.FAIL, sentence, _("Correct TOOLS_RELAY_API_KEY."))]
    return [_of_models(answer, server.model)]


def _of_models(answer: httpx2.Response, model: str) -> Finding:
    """Not every server tells its models; one that does and lacks this one will refuse it."""
    try:
        told = [str(one["id"]) for one in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return Finding("relay-reach", State.OK, _("The relay answers. It does not tell which models it has."))
    if told and model not in told:
        sentence = _("The relay answers, but has no model %(model)s.") % {"model": model}
        return Finding("relay-reach", State.FAIL, sentence, _("Correct TOOLS_RELAY_MODEL."))
    return Finding("relay-reach", State.OK, _("The relay answers and has the model %(model)s.") % {"model": model})


def check_mail() -> list[Finding]:
    """Whether the mail server lets us in; sends nothing."""
    if not settings.TOOLS.email_url:
        return []
    connection = get_connection(timeout=int(SECONDS))
    try:
        connection.open()
        connection.close()
    except OSError as error:
        sentence = _("The mail server does not let us in: %(reason)s.") % {"reason": type(error).__name__}
        return [Finding("mail-server", State.FAIL, sentence, _("Correct TOOLS_EMAIL_URL."))]
    return [Finding("mail-server", State.OK, _("The mail server lets us in."))]
