"""All checks, in the order in which they are told. Called by the command, the page and /readyz."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from whisper_jobs.doctor import live, network, programs, site, speakers, speech, storage, work
from whisper_jobs.doctor.finding import Check, Finding, Group, State, worst
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.choose import MOONSHINE
from whisper_jobs.told import in_words_of_the_reader

log = logging.getLogger(__name__)

CHECKS: dict[Group, tuple[tuple[str, Check], ...]] = {
    Group.SPEECH: (
        ("choice-en", partial(speech.check_choice, "en")),
        (f"choice-{speech.ANOTHER}", partial(speech.check_choice, speech.ANOTHER)),
        ("models", speech.check_models),
        ("whole-models", speech.check_whole),
        *((f"engine-{name}", partial(speech.check_engine, name)) for name in speech.ENGINES),
        ("relay", speech.check_relay),
        ("gpu", speech.check_gpu),
        ("speakers", speakers.check_speakers),
        ("gated-models", speakers.check_gated),
    ),
    Group.MEDIA: (("decoder", programs.check_decoder), ("yt-dlp", programs.check_downloader)),
    Group.STORAGE: (
        ("data-folder", storage.check_folder),
        ("disk", storage.check_disk),
        ("upload-limit", storage.check_uploads),
    ),
    Group.QUEUE: (
        ("database", storage.check_database),
        ("broker", work.check_broker),
        ("workers", work.check_workers),
        ("live", live.check_live),
        ("clock", work.check_clock),
    ),
    Group.SITE: (
        ("address", site.check_address),
        ("secret-key", site.check_secret),
        ("debug", site.check_debug),
        ("mail", site.check_mail),
        ("limits", site.check_limits),
    ),
}
#: Each may find several things, or nothing to look at.
NETWORK_CHECKS: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
    ("internet", network.check_internet),
    ("relay-reach", network.check_relay),
    ("hub", speakers.check_hub),
    ("mail-server", network.check_mail),
)


@dataclass(frozen=True, slots=True)
class Section:
    group: Group
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        return worst(finding.state for finding in self.findings)


def examine(groups: Iterable[Group] = tuple(CHECKS), *, net: bool = False) -> list[Section]:
    """Everything in the words of the reader. `net` also goes to the network, which takes some seconds."""
    sections = [Section(group, tuple(_looked_at(name, check) for name, check in CHECKS[group])) for group in groups]
    return [*sections, _over_the_network()] if net else sections


def outlook() -> str:
    """What a new job would get, in one line."""
    try:
        chosen = speech.offered(None)
    except JobError as error:
        return _("A new job would fail: %(reason)s") % {"reason": in_words_of_the_reader(error.message)}
    told = {"model": chosen.choice.model, "engine": chosen.choice.engine}
    if chosen.backend == "B":
        words = _("A new job would be transcribed by the relay, with the model %(model)s") % told
    elif chosen.choice.quality == "draft":
        words = _("A new job would get a rough draft in English, by %(engine)s") % told
    elif chosen.choice.engine == MOONSHINE:
        words = _("A new job would be transcribed here in English, by a small model (%(model)s)") % told
    else:
        words = _("A new job would be transcribed here, by Whisper %(model)s (%(engine)s)") % told
    return (_("%(words)s, with speakers.") if speakers.told_apart() else _("%(words)s, without speakers.")) % {
        "words": words
    }


def _looked_at(name: str, check: Check) -> Finding:
    """A check that breaks is a finding too: whoever calls the doctor has trouble enough."""
    try:
        return check()
    except Exception as error:
        log.exception("the check of %s broke", name)
        sentence = _("This could not be looked at: %(error)s.") % {"error": type(error).__name__}
        return Finding(name, State.FAIL, sentence, _("See the log."))


def _over_the_network() -> Section:
    """Together, so that it takes as long as the slowest."""
    language = get_language() or "en"

    def look(name: str, check: Callable[[], list[Finding]]) -> list[Finding]:
        with override(language):
            try:
                return check()
            except Exception:
                log.exception("the check of %s broke", name)
                return [Finding(name, State.FAIL, _("This could not be looked at."), _("See the log."))]

    with ThreadPoolExecutor(len(NETWORK_CHECKS)) as pool:
        found = pool.map(lambda one: look(*one), NETWORK_CHECKS)
        return Section(Group.NETWORK, tuple(finding for findings in found for finding in findings))
