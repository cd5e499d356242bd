"""Wire → what is to be corrected, with a sentence for everything that can't be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from whisper_jobs import appearances
from whisper_jobs import correction_changes as changes
from whisper_jobs.correction_changes import MOST_TEXT, Change
from whisper_jobs.correction_sheet import Ref
from whisper_jobs.corrections import MOST_LISTED
from whisper_jobs.exports import NumberField
from whisper_jobs.models import Job
from whisper_jobs.models.correction import CorrectionKind
from whisper_jobs.recognition import Link
from whisper_jobs.speech.correcting import Swap, clean

MOST_SEGMENTS = 10_000
MOST_BYTES = 1 << 20
MOST_NAME = 100
MOST_FIND = 500
COLOURS = 12
_MOST = 2**31 - 1
_MOST_ID = 2**62


class CleanField(serializers.CharField):
    """Text on one line, without characters that nobody can see and no database stores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(clean(data) if isinstance(data, str) else data)


class RefSerializer(serializers.Serializer[Any]):
    """A segment as its sender saw it."""

    id = serializers.IntegerField(min_value=1, max_value=_MOST_ID)
    revision = serializers.IntegerField(min_value=0, max_value=_MOST)


class SpanSerializer(RefSerializer):
    """Its new times, in seconds."""

    start = NumberField(min_value=0.0)
    end = NumberField(min_value=0.0)


class RefsField(serializers.ListField):
    """Segments, each once."""

    def __init__(self, *, least: int = 1, child: Any = None, **kwargs: Any) -> None:
        super().__init__(child=child or RefSerializer(), min_length=least, max_length=MOST_SEGMENTS, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        told = super().to_internal_value(data)
        if len({one["id"] for one in told}) < len(told):
            raise serializers.ValidationError(_("Name each segment once."))
        return told


class TextSerializer(serializers.Serializer[Any]):
    segment = RefSerializer()
    text = CleanField(max_length=MOST_TEXT, allow_blank=True)


class SplitSerializer(serializers.Serializer[Any]):
    segment = RefSerializer()
    at = serializers.IntegerField(min_value=0, max_value=MOST_TEXT)
    text = serializers.CharField(max_length=MOST_TEXT, required=False, allow_null=True, trim_whitespace=False)


class MergeSerializer(serializers.Serializer[Any]):
    segments = RefsField(least=2)


class InsertSerializer(serializers.Serializer[Any]):
    start = NumberField(min_value=0.0)
    end = NumberField(min_value=0.0)
    text = CleanField(max_length=MOST_TEXT, allow_blank=True)
    speaker = CleanField(max_length=64, required=False, allow_null=True, allow_blank=True, default=None)


class SegmentsSerializer(serializers.Serializer[Any]):
    segments = RefsField()


class TimesSerializer(serializers.Serializer[Any]):
    segments = RefsField(child=SpanSerializer())


class SpeakerSerializer(serializers.Serializer[Any]):
    segments = RefsField()
    speaker = CleanField(max_length=64, allow_null=True, allow_blank=True)


class MergeSpeakersSerializer(serializers.Serializer[Any]):
    """`from` is a word of Python, so this field is made by its name."""

    into = CleanField(max_length=64)

    def get_fields(self) -> dict[str, Any]:
        labels = serializers.ListField(child=CleanField(max_length=64), min_length=1, max_length=1000)
        return {"from": labels, **super().get_fields()}


class SpeakersSerializer(serializers.Serializer[Any]):
    """One of the four."""

    rename = serializers.DictField(child=CleanField(max_length=MOST_NAME, allow_blank=True), required=False)
    colour = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=COLOURS - 1), required=False)
    merge = MergeSpeakersSerializer(required=False)
    identify = serializers.DictField(child=serializers.UUIDField(allow_null=True), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(1 for told in attrs.values() if told) != 1:
            raise serializers.ValidationError({"rename": [_("Send one of rename, colour, merge and identify.")]})
        return attrs


class SwapSerializer(serializers.Serializer[Any]):
    """What is looked for and what is put in its place, in these segments or in all."""

    find = serializers.CharField(max_length=MOST_FIND, trim_whitespace=False)
    replace = serializers.CharField(max_length=MOST_FIND, trim_whitespace=False, allow_blank=True)
    match_case = serializers.BooleanField(required=False, default=False)
    whole_words = serializers.BooleanField(required=False, default=False)
    segments = RefsField(required=False, allow_null=True, default=None)


class CheckSerializer(serializers.Serializer[Any]):
    segments = RefsField()
    checked = serializers.BooleanField()


class NumberSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=0, max_value=_MOST)


Told = Mapping[str, Any]


def _ref(told: Told) -> Ref:
    return Ref(told["id"], told["revision"])


def _refs(told: Told) -> list[Ref]:
    return [_ref(one) for one in told["segments"]]


def _times(told: Told) -> Change:
    return changes.Times(_refs(told), [(round(one["start"], 3), round(one["end"], 3)) for one in told["segments"]])


def _insert(told: Told) -> Change:
    start, end = round(told["start"], 3), round(told["end"], 3)
    return changes.Insert(start, end, told["text"], told["speaker"] or None)


def _split(told: Told) -> Change:
    text, at = told.get("text"), told["at"]
    if text is None:
        return changes.Split(_ref(told["segment"]), at)
    # Cleaning may shorten what stands before the cut.
    left, right = clean(text[:at]), clean(text[at:])
    between = " " if text[at - 1 : at].isspace() or text[at : at + 1].isspace() else ""
    return changes.Split(_ref(told["segment"]), len(left), f"{left}{between}{right}")


def _speakers(told: Told) -> Change:
    if told.get("merge"):
        return changes.MergeSpeakers(told["merge"]["from"], told["merge"]["into"])
    if told.get("identify"):
        return changes.Identify(_links(told))
    return changes.Rename(told["rename"]) if told.get("rename") else changes.Colour(told["colour"])


def _links(told: Told) -> dict[str, Link | None]:
    try:
        return {
            label: appearances.link_of(told["job"], speaker_id, told["by"])
            for label, speaker_id in told["identify"].items()
        }
    except appearances.NobodyThere as error:
        sentence = _("There is no such enrolled speaker whom you could name.")
        raise serializers.ValidationError({"identify": [sentence]}) from error


def swap(told: Told) -> Swap:
    return Swap(told["find"], told["replace"], told["match_case"], told["whole_words"])


def _replace(told: Told) -> Change:
    return changes.Replace(swap(told), None if told["segments"] is None else _refs(told))


_KINDS: dict[str, tuple[type[serializers.Serializer[Any]], Callable[[Told], Change]]] = {
    CorrectionKind.TEXT: (TextSerializer, lambda told: changes.NewText(_ref(told["segment"]), told["text"])),
    CorrectionKind.SPLIT: (SplitSerializer, _split),
    CorrectionKind.MERGE: (MergeSerializer, lambda told: changes.Merge(_refs(told))),
    CorrectionKind.INSERT: (InsertSerializer, _insert),
    CorrectionKind.DELETE: (SegmentsSerializer, lambda told: changes.Delete(_refs(told))),
    CorrectionKind.TIMES: (TimesSerializer, _times),
    CorrectionKind.SPEAKER: (SpeakerSerializer, lambda told: changes.SpeakerOf(_refs(told), told["speaker"] or None)),
    CorrectionKind.SPEAKERS: (SpeakersSerializer, _speakers),
    CorrectionKind.REPLACE: (SwapSerializer, _replace),
    CorrectionKind.CHECK: (CheckSerializer, lambda told: changes.Check(_refs(told), told["checked"])),
    CorrectionKind.UNDO: (NumberSerializer, lambda told: changes.Undo(told["number"])),
    CorrectionKind.RESTORE: (NumberSerializer, lambda told: changes.Restore(told["number"])),
}


class CorrectionSerializer(serializers.Serializer[Any]):
    """Fields of POST …/corrections that every kind has; the others are those of its kind."""

    request_id = serializers.UUIDField()
    kind = serializers.ChoiceField(list(_KINDS))


class DescribedCorrectionSerializer(CorrectionSerializer):
    """As the description shows it: the fields of all kinds."""

    segment = RefSerializer(required=False, help_text="text, split")
    segments = serializers.ListField(
        child=SpanSerializer(),
        required=False,
        allow_null=True,
        help_text="merge, delete, times, speaker, check, replace",
    )
    text = serializers.CharField(
        required=False, allow_blank=True, max_length=MOST_TEXT, help_text="text, split, insert"
    )
    at = serializers.IntegerField(required=False, help_text="split: before which character of the text.")
    start = NumberField(required=False, help_text="insert, in seconds.")
    end = NumberField(required=False, help_text="insert, in seconds.")
    speaker = serializers.CharField(
        required=False, allow_null=True, max_length=64, help_text="speaker, insert: a label."
    )
    rename = serializers.DictField(child=serializers.CharField(), required=False, help_text="speakers: label → name.")
    colour = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="speakers: label → 0–11."
    )
    merge = MergeSpeakersSerializer(required=False, help_text="speakers: several labels become one.")
    identify = serializers.DictField(
        child=serializers.UUIDField(allow_null=True),
        required=False,
        help_text="speakers: label → id of an enrolled speaker; null: it is not whom it is taken for.",
    )
    find = serializers.CharField(required=False, max_length=MOST_FIND, help_text="replace")
    replace = serializers.CharField(required=False, max_length=MOST_FIND, help_text="replace")
    match_case = serializers.BooleanField(required=False)
    whole_words = serializers.BooleanField(required=False)
    checked = serializers.BooleanField(required=False, help_text="check")
    number = serializers.IntegerField(required=False, help_text="undo: of a correction; restore: of a version.")


@dataclass(frozen=True, slots=True)
class Asked:
    request_id: UUID
    change: Change


def correction(request: Request, job: Job) -> Asked:
    demand_small(request)
    head = CorrectionSerializer(data=request.data)
    head.is_valid(raise_exception=True)
    form_class, change_of = _KINDS[head.validated_data["kind"]]
    form = form_class(data=request.data)
    form.is_valid(raise_exception=True)
    return Asked(head.validated_data["request_id"], change_of({**form.validated_data, "job": job, "by": request.user}))


def demand_small(request: Request) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise RequestDataTooBig


@dataclass(frozen=True, slots=True)
class Sought:
    swap: Swap
    ids: list[int] | None


def sought(request: Request) -> Sought:
    """What a replacement would change."""
    demand_small(request)
    form = SwapSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    return Sought(swap(told), None if told["segments"] is None else [one["id"] for one in told["segments"]])


class LogSerializer(serializers.Serializer[Any]):
    """Parameters of GET …/corrections. Oldest first, `before` asks for the segments as they were; newest first, it is a number."""

    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=_MOST)
    before = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=_MOST)
    order = serializers.ChoiceField(["oldest", "newest"], required=False, default="oldest")
    limit = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MOST_LISTED)


def log_asked(request: Request) -> dict[str, Any]:
    form = LogSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
