"""What turns sound into words here: engines, weights, GPU, the relay, and what a job in a language would get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whisper_jobs import policy
from whisper_jobs.doctor import packages
from whisper_jobs.doctor.finding import Finding, State
from whisper_jobs.errors import JobError
from whisper_jobs.pipeline import backends, models, relay
from whisper_jobs.pipeline.backends import Chosen, Wish
from whisper_jobs.speech.engines.choose import ENGLISH, MOONSHINE, STORES
from whisper_jobs.speech.engines.openai_relay import NAME as RELAY
from whisper_jobs.speech.languages import name_of
from whisper_jobs.told import in_words_of_the_reader

#: engine → its distribution, and the packages that it needs to be importable.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "faster-whisper": ("faster-whisper", ("faster_whisper", "ctranslate2", "onnxruntime")),
    "openai-whisper": ("openai-whisper", ("whisper", "torch")),
    "moonshine": ("moonshine-voice", ("moonshine_voice", "onnxruntime")),
    "pocketsphinx": ("pocketsphinx", ("pocketsphinx",)),
}
SUGGESTED = "base"
#: A language that the engines which come with the program do not know.
ANOTHER = "sv"
_CUDA = re.compile(r"^cuda[^=]*=\s*'([\d.]+)'", re.MULTILINE)


def engine(name: str, *, version: str | None, missing: Sequence[str]) -> Finding:
    told = {"name": name, "version": version, "missing": ", ".join(missing)}
    if version is None or missing:
        lacking = _("The engine %(name)s can't be used: %(missing)s is not installed.") % {
            **told,
            "missing": told["missing"] or name,
        }
        advice = _("Start the server again: it installs what is missing. Or run `script/setup`.")
        return Finding(f"engine-{name}", State.WARN, lacking, advice)
    return Finding(f"engine-{name}", State.OK, _("The engine %(name)s %(version)s can be used.") % told)


def check_engine(name: str) -> Finding:
    distribution, needed = ENGINES[name]
    return engine(name, version=packages.version(distribution), missing=packages.missing(*needed))


def check_models() -> Finding:
    """Which Whisper models are here, by a quick look at the files."""
    known = [one for one in models.known() if one.name not in (RELAY, *ENGLISH) and one.quality == "full"]
    here = [one.name for one in known if one.available]
    folder = settings.TOOLS.models
    if not here:
        sentence = _("There is no Whisper model in %(folder)s.") % {"folder": folder}
        return Finding("models", State.WARN, sentence, _download())
    sentence = _("Whisper models are here: %(names)s.") % {"names": ", ".join(here)}
    return Finding("models", State.OK, sentence)


def check_whole() -> Finding:
    """Models that were cut off or have another size than they should."""
    told = [(name, store.status(name, models.folders()).state) for store in STORES.values() for name in store.CATALOGUE]
    broken = [name for name, state in told if state in ("damaged", "incomplete")]
    if not broken:
        return Finding("whole-models", State.OK, _("No model is damaged, and no download is unfinished."))
    sentence = _("Damaged or not fully downloaded: %(names)s.") % {"names": ", ".join(broken)}
    advice = _("Run `manage.py models download %(name)s`.") % {"name": broken[0]}
    return Finding("whole-models", State.WARN, sentence, advice)


def _download() -> str:
    return _("Run `manage.py models download %(name)s`.") % {"name": SUGGESTED}


def check_choice(language: str) -> Finding:
    """What a job in this language gets that names no model."""
    name, told = f"choice-{language}", {"language": _(name_of(language))}
    try:
        chosen = offered(language)
    except JobError as error:
        reason = in_words_of_the_reader(error.message)
        sentence = _("A job in %(language)s fails: %(reason)s") % {**told, "reason": reason}
        # Most reasons say themselves what to do.
        advice = "" if "models download" in error.message else _download()
        return Finding(name, State.FAIL if language == "en" else State.WARN, sentence, advice)
    told |= {"model": chosen.choice.model, "engine": chosen.choice.engine}
    if chosen.choice.quality == "draft":
        draft = _("A job in %(language)s gets a rough draft, by %(engine)s.") % told
        return Finding(name, State.WARN, draft, _download())
    if chosen.choice.engine == MOONSHINE:
        small = _("A job in %(language)s gets a small model, %(model)s. Whisper models make fewer mistakes.") % told
        return Finding(name, State.WARN, small, _download())
    if chosen.backend == "B":
        return Finding(name, State.OK, _("A job in %(language)s goes to the relay, with its model %(model)s.") % told)
    return Finding(name, State.OK, _("A job in %(language)s gets Whisper %(model)s, by %(engine)s.") % told)


def offered(language: str | None) -> Chosen:
    """Raises JobError. Fetches nothing."""
    wish = Wish(settings.TOOLS.default_model, language)
    return backends.chosen_for(wish, policy.allowed_for(None), here=lambda: models.offer(wish.model, wish.language))


def gpu(devices: int, *, torch_cuda: str | None, asked: str) -> Finding:
    """`devices` that the driver knows; the CUDA that torch was built for, if any; TOOLS_DEVICE."""
    if not devices:
        if asked == "cuda":
            sentence = _("A GPU was asked for (TOOLS_DEVICE=cuda), but there is none that can be used.")
            return Finding(
                "gpu", State.FAIL, sentence, _("Set TOOLS_DEVICE to `auto` or `cpu`, or install the driver.")
            )
        threads = settings.TOOLS.speech_threads
        sentence = ngettext(
            "There is no GPU; %(n)d thread of the processor works on each part of a recording.",
            "There is no GPU; %(n)d threads of the processor work on each part of a recording.",
            threads,
        )
        return Finding("gpu", State.OK, sentence % {"n": threads})
    if asked == "cpu":
        return Finding("gpu", State.OK, _("There is a GPU, and TOOLS_DEVICE=cpu leaves it alone."))
    if torch_cuda is None:
        sentence = _("There is a GPU, but torch was built without CUDA, so that a part of the work does not use it.")
        return Finding(
            "gpu", State.WARN, sentence, _("Install the CUDA build of torch: see the head of requirements.txt.")
        )
    return Finding("gpu", State.OK, _("A GPU works, by CUDA %(version)s.") % {"version": torch_cuda})


def check_gpu() -> Finding:
    return gpu(gpus(), torch_cuda=torch_cuda(), asked=settings.TOOLS.device)


def gpus(driver: Path = Path("/proc/driver/nvidia/gpus"), nodes: Path = Path("/dev")) -> int:
    """NVIDIA's, as the driver tells; by the files of the devices where a container hides what it tells."""
    told = len(list(driver.iterdir())) if driver.is_dir() else 0
    return told or len(list(nodes.glob("nvidia[0-9]*")))


def torch_cuda() -> str | None:
    """From torch's own file, since its import takes seconds."""
    home = packages.folder("torch")
    told = home / "version.py" if home else None
    found = _CUDA.search(told.read_text()) if told and told.is_file() else None
    return found[1] if found else None


def check_relay() -> Finding:
    """Whether sound may leave this machine, and whether the relay worked when it was needed last."""
    tools = settings.TOOLS
    server = relay.relay()
    if server is None:
        if tools.relay_base_url:
            sentence = _("A relay is set but not used: TOOLS_BACKENDS allows this server's engines alone.")
            return Finding("relay", State.WARN, sentence, _("Set TOOLS_BACKENDS to AB or B, or leave out the relay."))
        return Finding("relay", State.OK, _("No sound leaves this machine: there is no relay."))
    try:
        server.guard.check_url(server.base_url)
    except JobError:
        sentence = _("The relay's address is not on the public internet, and nobody has admitted it.")
        return Finding("relay", State.FAIL, sentence, _("Name its network in TOOLS_OUTBOUND_ALLOW."))
    if why := relay.down():
        reason = in_words_of_the_reader(why)
        sentence = _("The relay failed when it was used last: %(reason)s") % {"reason": reason}
        return Finding("relay", State.FAIL, sentence, _("See what the relay's own log says."))
    sentence = _("The relay is set, with the model %(model)s: sound leaves this machine.") % {"model": server.model}
    return Finding("relay", State.OK, sentence)
