"""What a Realtime session is set to: the `session` of an event → Setup, in the shapes of both versions of the API, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from whisper_jobs import exports
from whisper_jobs.dialects.fields import LanguageField
from whisper_jobs.dialects.openai import models_list
from whisper_jobs.dialects.openai.fields import LONGEST_KEYWORD, MOST_KEYWORDS, MOST_PROMPT
from whisper_jobs.dialects.refusals import Kind, Refused

LOGPROBS = "item.input_audio_transcription.logprobs"
PCM, ULAW, ALAW = "audio/pcm", "audio/pcmu", "audio/pcma"
#: Of telephones.
G711_RATE = 8_000
#: The names of the version before, which knows one rate.
_BEFORE = {"pcm16": PCM, "g711_ulaw": ULAW, "g711_alaw": ALAW}
RATE = 24_000
#: How much new sound is read at once, by how long a client likes to wait for words that are sure.
_DELAYS = {"minimal": 0.5, "low": 1.0, "medium": 2.0, "high": 5.0, "xhigh": 10.0}
#: Where speakers are told, words are told by utterances: until one is over nobody knows who speaks.
_WHOLE_UTTERANCES = 60.0
#: Names that are for this API alone, beside those of models_list.
LIVE_MODELS = ("gpt-realtime-whisper", "gpt-live-transcribe")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Vad:
    """Server VAD."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500


@dataclass(frozen=True, slots=True)
class Setup:
    """`vad` is None where the client commits by itself."""

    format: str = PCM
    rate: int = RATE
    model: str = "whisper-1"
    language: str = ""
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    delay: str = "low"
    vad: Vad | None = field(default_factory=Vad)
    logprobs: bool = False

    @property
    def diarizes(self) -> bool:
        return self.model == models_list.DIARIZES

    @property
    def chunk_seconds(self) -> float:
        return _WHOLE_UTTERANCES if self.diarizes else _DELAYS[self.delay]

    @property
    def bytes_per_second(self) -> int:
        return 2 * self.rate if self.format == PCM else self.rate


# --- in ---------------------------------------------------------------------------------------------


class FormatSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField([PCM, ULAW, ALAW], default=PCM)
    rate = serializers.IntegerField(required=False, allow_null=True, min_value=8_000, max_value=48_000)


class TranscriptionSerializer(serializers.Serializer[Any]):
    model = serializers.CharField(required=False, max_length=200)
    language = LanguageField(required=False, allow_blank=True, allow_null=True)
    languages = serializers.ListField(child=LanguageField(), required=False, max_length=20)
    prompt = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=MOST_PROMPT)
    keywords = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_KEYWORD), required=False, max_length=MOST_KEYWORDS
    )
    delay = serializers.ChoiceField(list(_DELAYS), required=False)

    def validate_model(self, name: str) -> str:
        if name not in (*LIVE_MODELS, models_list.AUTO, settings.TOOLS.default_model, *models_list.OPENAI):
            told = _("This server has no model “%(name)s” for live transcription.") % {"name": name[:100]}
            raise serializers.ValidationError(told)
        return name


class NoiseSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["near_field", "far_field"], required=False)
    strength = exports.NumberField(required=False, min_value=0.0, max_value=1.0)


class TurnSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["server_vad", "semantic_vad"], default="server_vad")
    threshold = exports.NumberField(required=False, min_value=0.0, max_value=1.0)
    prefix_padding_ms = serializers.IntegerField(required=False, min_value=0, max_value=5_000)
    silence_duration_ms = serializers.IntegerField(required=False, min_value=100, max_value=10_000)
    create_response = serializers.BooleanField(required=False, allow_null=True)
    interrupt_response = serializers.BooleanField(required=False, allow_null=True)
    eagerness = serializers.CharField(required=False, max_length=20)

    def validate_type(self, kind: str) -> str:
        if kind == "semantic_vad":
            raise serializers.ValidationError(_("This server has no semantic_vad. Send server_vad, or null."))
        return kind

    def validate_create_response(self, wanted: bool | None) -> bool | None:
        if wanted:
            raise serializers.ValidationError(_("This server transcribes and gives no responses."))
        return wanted


class _IncludeField(serializers.ListField):
    def __init__(self) -> None:
        super().__init__(child=serializers.ChoiceField([LOGPROBS]), required=False, allow_null=True, max_length=10)


class InputSerializer(serializers.Serializer[Any]):
    format = FormatSerializer(required=False)
    transcription = TranscriptionSerializer(required=False)
    noise_reduction = NoiseSerializer(required=False, allow_null=True)
    turn_detection = TurnSerializer(required=False, allow_null=True)


class AudioSerializer(serializers.Serializer[Any]):
    input = InputSerializer(required=False)


class SessionSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["transcription"])
    audio = AudioSerializer(required=False)
    include = _IncludeField()


class BeforeSerializer(serializers.Serializer[Any]):
    """As the version before had it, all in one place."""

    input_audio_format = serializers.ChoiceField(list(_BEFORE), required=False)
    input_audio_transcription = TranscriptionSerializer(required=False)
    input_audio_noise_reduction = NoiseSerializer(required=False, allow_null=True)
    turn_detection = TurnSerializer(required=False, allow_null=True)
    modalities = serializers.ListField(child=serializers.ChoiceField(["text", "audio"]), required=False, max_length=2)
    include = _IncludeField()


def updated(setup: Setup, told: Any) -> Setup:
    """What `told` says is other than before, the rest stays. Raises Refused."""
    valid = _valid(SessionSerializer, told)
    return _with(setup, valid.get("audio", {}).get("input", {}), valid)


def updated_before(setup: Setup, told: Any) -> Setup:
    """The same for a session as the version before writes it. Raises Refused."""
    valid = _valid(BeforeSerializer, told)
    heard = {
        name: valid[f"input_audio_{name}"]
        for name in ("format", "transcription", "noise_reduction")
        if f"input_audio_{name}" in valid
    }
    if "format" in heard:
        heard["format"] = {"type": _BEFORE[heard["format"]]}
    turns = {"turn_detection": valid["turn_detection"]} if "turn_detection" in valid else {}
    return _with(setup, {**heard, **turns}, valid)


def _with(setup: Setup, heard: Mapping[str, Any], told: Mapping[str, Any]) -> Setup:
    changes: Json = dict(_transcription(heard.get("transcription", {})))
    if "format" in heard:
        changes |= _format(heard["format"])
    if "turn_detection" in heard:
        changes["vad"] = _vad(heard["turn_detection"])
    if "include" in told:
        changes["logprobs"] = bool(told["include"])
    return replace(setup, **changes)


def _format(told: Mapping[str, Any]) -> Json:
    rate = told.get("rate")
    if told["type"] == PCM:
        return {"format": PCM, "rate": rate or RATE}
    if rate not in (None, G711_RATE):
        raise Refused(Kind.INVALID, _("G.711 has 8000 samples a second."), field="session.audio.input.format.rate")
    return {"format": told["type"], "rate": G711_RATE}


def _transcription(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("model", "delay"):
        if name in told:
            yield name, told[name]
    for name in ("language", "prompt"):
        if name in told:
            yield name, told[name] or ""
    if "keywords" in told:
        yield "keywords", tuple(told["keywords"])
    if len(told.get("languages", ())) == 1 and not told.get("language"):
        yield "language", told["languages"][0]


def _vad(told: Mapping[str, Any] | None) -> Vad | None:
    names = ("threshold", "prefix_padding_ms", "silence_duration_ms")
    return None if told is None else Vad(**{name: told[name] for name in names if name in told})


def _valid(kind: type[serializers.Serializer[Any]], told: Any) -> Mapping[str, Any]:
    form = kind(data=told)
    if isinstance(told, dict) and (unknown := next(_unknown(form, told, "session"), None)):
        raise Refused(Kind.INVALID, _("Unknown parameter: “%(name)s”.") % {"name": unknown}, **_unknown_of(unknown))
    if not form.is_valid():
        path, detail = next(_leaves("session", form.errors))
        raise Refused(Kind.INVALID, str(detail), code=detail.code, field=path)
    return dict(form.validated_data)


def _unknown_of(name: str) -> dict[str, str]:
    return {"code": "unknown_parameter", "field": name}


def _unknown(form: Any, told: Mapping[Any, Any], path: str) -> Iterator[str]:
    """The paths of what no field is there for."""
    for name, value in told.items():
        here = f"{path}.{str(name)[:100]}"
        if name not in form.fields:
            yield here
        elif isinstance(value, dict) and hasattr(form.fields[name], "fields"):
            yield from _unknown(form.fields[name], value, here)


def _leaves(path: str, detail: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(detail, Mapping):
        for name, one in detail.items():
            yield from _leaves(path if name == "non_field_errors" else f"{path}.{name}", one)
    elif isinstance(detail, list):
        for one in detail:
            yield from _leaves(path, one)
    else:
        yield path, detail


# --- out --------------------------------------------------------------------------------------------


def told(setup: Setup) -> Json:
    """As it has effect: there is no reduction of noise."""
    form = {"type": setup.format, **({"rate": setup.rate} if setup.format == PCM else {})}
    heard = {
        "format": form,
        "transcription": _told_transcription(setup),
        "noise_reduction": None,
        "turn_detection": _told_vad(setup),
    }
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "audio": {"input": heard},
        "include": _told_include(setup),
    }


def told_before(setup: Setup) -> Json:
    names = {new: old for old, new in _BEFORE.items()}
    return {
        "object": "realtime.transcription_session",
        "modalities": ["text"],
        "input_audio_format": names[setup.format],
        "input_audio_transcription": _told_transcription(setup),
        "input_audio_noise_reduction": None,
        "turn_detection": _told_vad(setup),
        "include": _told_include(setup),
    }


def _told_transcription(setup: Setup) -> Json:
    told: Json = {"model": setup.model, "language": setup.language or None, "prompt": setup.prompt}
    return {**told, "delay": setup.delay, "keywords": list(setup.keywords)}


def _told_vad(setup: Setup) -> Json | None:
    vad = setup.vad
    if vad is None:
        return None
    padding, silence = vad.prefix_padding_ms, vad.silence_duration_ms
    told: Json = {"type": "server_vad", "threshold": vad.threshold}
    return {**told, "prefix_padding_ms": padding, "silence_duration_ms": silence}


def _told_include(setup: Setup) -> list[str] | None:
    return [LOGPROBS] if setup.logprobs else None
