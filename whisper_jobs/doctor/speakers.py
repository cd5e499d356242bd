"""What tells speakers apart here: the diarizer that comes along, and pyannote's gated model where somebody fetched it."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from whisper_jobs.doctor import packages
from whisper_jobs.doctor.finding import Finding, State
from whisper_jobs.doctor.network import asked
from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard
from whisper_jobs.pipeline import models
from whisper_jobs.speech.diarizers.choose import Standing, standings
from whisper_jobs.speech.diarizers.pyannote import REPOSITORY
from whisper_jobs.told import in_words_of_the_reader

_HUB = "https://huggingface.co"


def told_apart() -> bool:
    return any(one.usable for one in standings(models.folders()))


def speakers(known: tuple[Standing, ...]) -> Finding:
    usable = [one.name for one in known if one.usable]
    if not usable:
        reasons = " ".join(in_words_of_the_reader(one.reason) for one in known)
        sentence = _("Speakers can't be told apart: %(reasons)s") % {"reasons": reasons}
        advice = _("Start the server again: it installs what is missing. Or run `script/setup`.")
        return Finding("speakers", State.WARN, sentence, advice)
    sentence = _("Speakers are told apart by %(name)s.") % {"name": usable[0]}
    return Finding("speakers", State.OK, sentence)


def check_speakers() -> Finding:
    return speakers(standings(models.folders()))


def gated(known: tuple[Standing, ...], *, installed: bool, token: str) -> Finding:
    """pyannote's model has to be asked for, and is the better one."""
    told = {"model": REPOSITORY}
    if not installed:
        sentence = _("The package pyannote.audio is not installed, so its models can't be used.")
        return Finding("gated-models", State.WARN, sentence, _("Run `script/setup`."))
    if any(one.name == "pyannote" and one.usable for one in known):
        return Finding("gated-models", State.OK, _("The model %(model)s is here.") % told)
    sentence = _("The model %(model)s is not here; it tells speakers apart better than what comes along.") % told
    if token:
        return Finding("gated-models", State.WARN, sentence, _("Run `manage.py models download %(model)s`.") % told)
    advice = _(
        "Accept its conditions at %(hub)s/%(model)s, set HF_TOKEN, and run `manage.py models download %(model)s`."
    )
    return Finding("gated-models", State.WARN, sentence, advice % {**told, "hub": _HUB})


def check_gated() -> Finding:
    installed = packages.version("pyannote.audio") is not None
    return gated(standings(models.folders()), installed=installed, token=settings.TOOLS.hf_token)


def check_hub() -> list[Finding]:
    """Whether the token, where there is one, opens the gated model."""
    return hub(_HUB, Guard(settings.TOOLS.outbound_allow), token=settings.TOOLS.hf_token)


def hub(address: str, guard: Guard, *, token: str) -> list[Finding]:
    if not token:
        return []
    try:
        headers = {"Authorization": f"Bearer {token}"}
        status = asked(f"{address}/api/models/{REPOSITORY}/auth-check", guard, headers).status_code
    except JobError:
        return [Finding("hub", State.WARN, _("The model hub does not answer."), _("Try again later."))]
    if status == 200:
        return [Finding("hub", State.OK, _("HF_TOKEN opens the model %(model)s.") % {"model": REPOSITORY})]
    sentence = _("HF_TOKEN does not open the model %(model)s (answer %(status)d).")
    advice = _("Accept its conditions at %(hub)s/%(model)s with the account of the token.")
    numbers = {"model": REPOSITORY, "status": status, "hub": _HUB}
    return [Finding("hub", State.WARN, sentence % numbers, advice % numbers)]
