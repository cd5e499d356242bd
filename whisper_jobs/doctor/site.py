"""How people reach the server, and what protects them: address, HTTPS, secrets, mail, limits."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from whisper_jobs.doctor.finding import Finding, State

#: As many characters as a key that the server makes has bits of entropy at least for.
SHORT_SECRET, FEW_CHARACTERS = 32, 8


def check_address() -> Finding:
    tools = settings.TOOLS
    if tools.public_url.startswith("https://"):
        return _behind_a_proxy()
    if tools.public_url:
        sentence = _("People use %(address)s, so passwords and recordings travel unencrypted.")
        return Finding("address", State.WARN, sentence % {"address": tools.public_url}, _https())
    if is_loopback(tools.bind):
        return Finding("address", State.OK, _("The server listens to this machine alone: %(address)s.") % _address())
    sentence = _("The server listens to others at %(address)s, without HTTPS and without a public address.")
    return Finding("address", State.WARN, sentence % _address(), _https())


def _behind_a_proxy() -> Finding:
    tools = settings.TOOLS
    if not tools.trusted_proxies:
        sentence = _("People use %(address)s, but the proxy in front is not counted: all callers look like one.")
        advice = _("Set TOOLS_TRUSTED_PROXIES to the number of your proxies (1, as a rule).")
        return Finding("address", State.WARN, sentence % _address(), advice)
    return Finding("address", State.OK, _("People use %(address)s.") % _address())


def _address() -> dict[str, str]:
    return {"address": settings.TOOLS.address}


def _https() -> str:
    return _("Put a proxy with HTTPS in front, and set TOOLS_PUBLIC_URL to its address and TOOLS_TRUSTED_PROXIES to 1.")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_secret() -> Finding:
    given: str = settings.TOOLS.secret_key
    if given and (len(given) < SHORT_SECRET or len(set(given)) < FEW_CHARACTERS):
        sentence = _("TOOLS_SECRET_KEY is easy to guess, and who guesses it is anybody here.")
        advice = _("Leave it out: the server then makes one. Keys and second steps have to be set up again.")
        return Finding("secret-key", State.FAIL, sentence, advice)
    kept = Path(settings.DATA_DIR) / "secret_key"
    if not given and kept.exists() and kept.stat().st_mode & 0o077:
        sentence = _("Other users of this machine can read the secret key in %(file)s.") % {"file": kept}
        return Finding("secret-key", State.FAIL, sentence, f"chmod 600 {kept}")
    return Finding("secret-key", State.OK, _("The secret key is long, and kept from others."))


def check_debug() -> Finding:
    tools = settings.TOOLS
    if not tools.debug:
        return Finding("debug", State.OK, _("Errors show nobody how the server works inside."))
    reached = bool(tools.public_url) or not is_loopback(tools.bind)
    sentence = _("Debug pages are on: an error shows settings and data to whoever meets it.")
    return Finding("debug", State.FAIL if reached else State.WARN, sentence, _("Leave out TOOLS_DEBUG."))


def check_mail() -> Finding:
    tools = settings.TOOLS
    if tools.email_url:
        sentence = _("Mails are sent from %(address)s.") % {"address": tools.email_from}
        return Finding("mail", State.OK, sentence)
    sentence = _("Mails, such as those for a forgotten password, are written to the log only.")
    needed = tools.signup or bool(tools.public_url)
    return Finding("mail", State.WARN if needed else State.OK, sentence, _("Set TOOLS_EMAIL_URL."))


def check_limits() -> Finding:
    tools = settings.TOOLS
    told = {"minutes": tools.monthly_minutes, "jobs": tools.max_queued_jobs}
    if tools.monthly_minutes:
        sentence = _("A user may have %(minutes)d minutes a month transcribed, and %(jobs)d jobs waiting.")
        return Finding("limits", State.OK, sentence % told)
    sentence = _("A user may have any number of minutes transcribed, and %(jobs)d jobs waiting.") % told
    if tools.signup:
        return Finding("limits", State.WARN, sentence, _("Anybody may create an account: set TOOLS_MONTHLY_MINUTES."))
    return Finding("limits", State.OK, sentence)
