"""Another server transcribes: any that speaks OpenAI's audio protocol. Loaded through `registry.load`; sound leaves this machine.

Tries nothing again by itself. What has been heard is kept for a while, so that it is not paid for twice when another window
of the same batch fails and all come again.
"""

from __future__ import annotations

import hashlib
import io
import re
import wave
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx2
import numpy as np

from whisper_jobs import openai_calls
from whisper_jobs.errors import JobError
from whisper_jobs.openai_calls import Trouble
from whisper_jobs.speech.engines import relay_reading
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Relay, Result, Samples, Setup
from whisper_jobs.speech.languages import name_of

NAME = "openai-relay"
#: Windows under way together: they mostly wait, and few servers allow one caller many more.
AT_ONCE = 4
#: The longest answer, many times what is said in half a minute.
ANSWER_BYTES = 8 << 20
#: Servers refuse what is shorter; silence behind it harms nobody.
LEAST_SAMPLES = SAMPLE_RATE // 10
#: Results that are kept; each is a few kilobytes.
MOST_KEPT = 64

#: Every sentence that a job can be told by this engine.
SENTENCES: dict[str, str] = {
    "not_set": "This server relays to no other one. An administrator sets TOOLS_RELAY_BASE_URL and TOOLS_BACKENDS.",
    "refused": "The relay's address is not on the public internet. An administrator admits it with TOOLS_OUTBOUND_ALLOW.",
    "bad_address": "The relay's address can't be used. An administrator must correct TOOLS_RELAY_BASE_URL.",
    "unreachable": "The relay could not be reached.",
    "slow": "The relay took too long to answer.",
    "busy": "The relay takes no more requests at the moment.",
    "broken": "The relay has a problem.",
    "nonsense": "The relay did not answer as a transcriber does. An administrator should check TOOLS_RELAY_BASE_URL.",
    "key": "The relay does not accept the key. An administrator must correct TOOLS_RELAY_API_KEY.",
    "forbidden": "The key may not use the relay's model. An administrator must check TOOLS_RELAY_API_KEY and TOOLS_RELAY_MODEL.",
    "unknown_model": "The relay knows no such model. An administrator must check TOOLS_RELAY_MODEL and TOOLS_RELAY_BASE_URL.",
    "quota": "The credit at the relay is used up. An administrator must renew it; then restart the job.",
    "too_long": "The relay takes no half minute of sound at once. An administrator must allow it requests of 1 MB there.",
    "request": "The relay did not accept the request. Restart the job later, or tell an administrator.",
    "no_times": "The relay's model tells no times, so each segment is as long as its window.",
}
#: Likewise, with the name of a language in it.
UNKNOWN_LANGUAGE = "The relay's model does not know {language}. Choose another model."
_LANGUAGE = re.compile(r"\blanguage", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an answer is asked for. Models that know times know `verbose_json`; others have the text alone."""

    response_format: str
    granularities: tuple[str, ...] = ()


#: The best first; those that a server refuses are left out from then on.
_SHAPES = (_Shape("verbose_json", ("segment", "word")), _Shape("verbose_json"), _Shape("json"))
_PLAIN = len(_SHAPES) - 1


class OpenAIRelay:
    name = NAME
    quality: Quality = "full"

    def __init__(self, model: str, setup: Setup) -> None:
        if setup.relay is None:
            raise JobError("model_unavailable", SENTENCES["not_set"])
        self.batch = setup.batch or AT_ONCE
        self._model, self._relay = model, setup.relay
        #: Place in _SHAPES of the best one that this server takes.
        self._shape = 0
        self._kept: OrderedDict[bytes, Result] = OrderedDict()
        self._told_of_times = False

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        keys = [_key(window, options) for window in windows]
        missing = {key: window for key, window in zip(keys, windows, strict=True) if key not in self._kept}
        found = {key: self._kept[key] for key in keys if key in self._kept}
        calls = [partial(self._hear, window, options) for window in missing.values()]
        places = list(missing)
        try:
            for place, result in openai_calls.awaited(calls, should_stop=options.should_stop, at_once=self.batch):
                found[places[place]] = result
                self._keep(places[place], result)
        except Exception as error:
            trouble = openai_calls.trouble_of(error)
            if trouble is None:
                raise
            # Not from the error: it may hold what the server said, and that may hold the key.
            raise trouble.told(SENTENCES) from None
        self._tell_of_times(options)
        return [found[key] for key in keys]

    def _keep(self, key: bytes, result: Result) -> None:
        self._kept[key] = result
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _tell_of_times(self, options: Options) -> None:
        if self._shape == _PLAIN and not self._told_of_times:
            self._told_of_times = True
            options.tell(SENTENCES["no_times"])

    def _hear(self, window: Samples, options: Options) -> Result:
        """One window, asked for in the best way that the server takes."""
        if len(window) == 0:
            return Result((), options.language)
        refused: JobError | None = None
        for place in range(self._shape, len(_SHAPES)):
            try:
                body = self._post(window, options, _SHAPES[place])
            except _Refused as refusal:
                refused = refused or refusal.told
                continue
            self._shape = max(self._shape, place)
            return _of_language(relay_reading.read(body, seconds=len(window) / SAMPLE_RATE), options)
        raise refused or Trouble("request").told(SENTENCES)

    def _post(self, window: Samples, options: Options, shape: _Shape) -> str:
        """The body of the answer. Raises _Refused for what may be asked for otherwise."""
        import openai

        name = "translations" if options.task == "translate" else "transcriptions"
        headers: dict[str, Any] = {"Content-Type": "multipart/form-data"}
        if not self._relay.api_key:
            headers["Authorization"] = openai.Omit()
        with _opened(self._relay) as http:
            server = openai_calls.client(http, base_url=self._relay.base_url, api_key=self._relay.api_key)
            try:
                # Not by the client's own method for it: that reads the answer, and knows less than other servers tell.
                answer = server.post(
                    f"/audio/{name}",
                    cast_to=httpx2.Response,
                    body=self._fields(options, shape),
                    files={"file": ("window.wav", _wav(window), "audio/wav")},
                    options={"headers": headers, "security": {"bearer_auth": True}},
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                raise _refusal(error, options) from None
            return answer.text

    def _fields(self, options: Options, shape: _Shape) -> dict[str, Any]:
        """Translations are asked for without the language and the granularities, which the protocol has not there."""
        fields: dict[str, Any] = {"model": self._model, "response_format": shape.response_format}
        if prompt := _prompt(options):
            fields["prompt"] = prompt
        if options.temperatures:
            fields["temperature"] = options.temperatures[0]
        if options.task == "transcribe" and shape.granularities:
            fields["timestamp_granularities"] = list(shape.granularities)
        if options.task == "transcribe" and options.language:
            fields["language"] = options.language
        return fields


class _Refused(Exception):
    """The server took the key and the model, but not what was asked for; `told` is the error if it takes nothing plainer."""

    def __init__(self, told: JobError) -> None:
        super().__init__(told.message)
        self.told = told


def _refusal(error: Any, options: Options) -> Exception:
    """Servers differ in how they say that it is the language that they don't know."""
    said = f"{error.param} {error.code} {error.message} {error.body}"
    if options.language and options.task == "transcribe" and _LANGUAGE.search(said):
        return JobError("language_unsupported", UNKNOWN_LANGUAGE.format(language=name_of(options.language)))
    trouble = openai_calls.trouble_of(error)
    if trouble is None or trouble.name == "shape":
        return _Refused(Trouble("request").told(SENTENCES))
    return trouble.told(SENTENCES)


def _of_language(result: Result, options: Options) -> Result:
    """What is said in; of a translation servers tell what it was translated to."""
    told = result.language if options.task == "transcribe" else None
    return replace(result, language=options.language or told)


def _opened(relay: Relay) -> httpx2.Client:
    seconds = relay.timeout_seconds
    return relay.guard.client(timeout=seconds, total_timeout=seconds, max_bytes=ANSWER_BYTES)


def _prompt(options: Options) -> str:
    """Models read the end of a long prompt only, so the terms come last."""
    return " ".join(part for part in (options.initial_prompt.strip(), ", ".join(options.hotwords)) if part)


def _wav(window: Samples) -> bytes:
    """WAV rather than anything smaller: every server reads it, also those without FFmpeg."""
    padded = np.pad(window, (0, max(0, LEAST_SAMPLES - len(window))))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(np.clip(np.round(padded * 32768.0), -32768, 32767).astype("<i2").tobytes())
    return file.getvalue()


def _key(window: Samples, options: Options) -> bytes:
    """Stands for a window and all that its words depend on."""
    asked = (options.language, options.task, options.initial_prompt, options.hotwords, options.temperatures)
    digest = hashlib.sha256(repr(asked).encode())
    digest.update(np.ascontiguousarray(window).tobytes())
    return digest.digest()
