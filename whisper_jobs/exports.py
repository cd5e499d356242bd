"""A transcript as a download: what may be asked for in a query, the answer that streams it, and the menu that offers it.

Used by the native API, the public page of a share and the job's page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.http import StreamingHttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from rest_framework import serializers

from whisper_jobs.speech.captions import PRESETS, Rules
from whisper_jobs.speech.formats import Format, FormatOptions, Labels
from whisper_jobs.speech.transcript import Transcript
from whisper_jobs.streaming import in_pieces

#: Limits of captions without a preset replace those of this one.
BASE = "web"


class NumberField(serializers.FloatField):
    """A number that is one: no NaN, which is above no limit and below none."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class OptionsSerializer(serializers.Serializer[Any]):
    """Parameters of a download that shape it. What a format has no use for is ignored."""

    preset = serializers.ChoiceField(
        list(PRESETS),
        required=False,
        help_text="How captions are made: `plain`, each segment as it is, or by the rules of `web` or `broadcast`.",
    )
    max_line = serializers.IntegerField(required=False, min_value=10, max_value=80, help_text="Characters of a line.")
    max_lines = serializers.IntegerField(required=False, min_value=1, max_value=3, help_text="Lines of a caption.")
    max_cps = NumberField(required=False, min_value=5, max_value=100, help_text="Characters a second.")
    min_seconds = NumberField(required=False, min_value=0.1, max_value=10, help_text="The shortest caption.")
    max_seconds = NumberField(required=False, min_value=1, max_value=30, help_text="The longest caption.")
    gap_seconds = NumberField(required=False, min_value=0, max_value=5, help_text="Between two captions.")
    speakers = serializers.BooleanField(default=True, help_text="Whether speakers are named.")
    words = serializers.BooleanField(default=False, help_text="The time of each word, in WebVTT.")
    notes = serializers.BooleanField(default=False, help_text="Notes and highlights, in documents to read.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        rules = _rules(attrs)
        if rules and rules.min_seconds > rules.max_seconds:
            raise serializers.ValidationError({"min_seconds": [_("The shortest caption is longer than the longest.")]})
        attrs["rules"] = rules
        return attrs


def _rules(told: dict[str, Any]) -> Rules | None:
    limits = {name: told[name] for name in Rules.__dataclass_fields__ if name in told}
    preset = told.get("preset")
    if preset == "plain" and limits:
        wrong = _("Segments as they are have no limits. Choose another preset, or leave it out.")
        raise serializers.ValidationError({name: [wrong] for name in limits})
    base = PRESETS[preset or (BASE if limits else "plain")]
    return replace(base, **limits) if base else None


def options(told: dict[str, Any]) -> FormatOptions:
    """Of what an OptionsSerializer has validated."""
    wanted = {name: told[name] for name in ("speakers", "words", "notes", "rules")}
    return FormatOptions(**wanted, labels=_labels())


def _labels() -> Labels:
    return Labels(
        speakers=_("Speakers"),
        note=_("Note"),
        draft=_("Draft quality: expect wrong words, names and numbers most of all."),
        missing=_("□ stands where this file has no letter to show; the other formats have it."),
    )


def answer(form: Format, transcript: Transcript, asked: FormatOptions, *, stem: str) -> StreamingHttpResponse:
    """The file, written while it is read. `stem` is plain ASCII."""
    told = StreamingHttpResponse(in_pieces(form.render(transcript, asked)), content_type=form.content_type)
    told["Content-Disposition"] = f'attachment; filename="{stem}{form.extension}"'
    return told


@dataclass(frozen=True, slots=True)
class Link:
    """`full_label` says it without what stands around it. `name` and `query` tell scripts which file it is."""

    label: str
    full_label: str
    name: str
    query: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: tuple[Row, ...]


def job_menu(job_id: int, language: str = "") -> list[Group]:
    """The menu of a job's own page."""
    return menu(lambda name: reverse("native:export", args=[job_id, name]), language, has_notes=True)


def menu(
    address: Callable[[str], str], language: str = "", version: int | None = None, *, has_notes: bool = False
) -> list[Group]:
    """Everything that can be downloaded, for people, of what is asked for. `address` gives the path of a format."""
    link = _Linker(address, language, version)
    captions = [
        (_("For the web"), {"preset": "web"}),
        (_("For broadcast"), {"preset": "broadcast"}),
        (_("As transcribed"), {}),
    ]
    rows = [
        Row(label, (link("srt", "SRT", label, **told), link("vtt", "VTT", label, **told))) for label, told in captions
    ]
    timed = _("With times of words")
    rows.append(Row(timed, (link("vtt", "VTT", timed, preset="web", words="true"),)))
    data = {"json": "JSON", "verbose_json": _("OpenAI JSON"), "csv": "CSV", "tsv": "TSV"}
    reading = {"docx": _("Word"), "pdf": "PDF", "txt": _("Plain text"), "markdown": "Markdown"}
    noted = _("With notes")
    with_notes = Row(noted, tuple(link(name, reading[name], noted, notes="true") for name in ("docx", "pdf")))
    return [
        Group(
            _("To read"),
            (
                Row("", tuple(link(name, label) for name, label in reading.items())),
                *((with_notes,) if has_notes else ()),
            ),
        ),
        Group(_("Captions"), tuple(rows)),
        Group(_("Data"), (Row("", tuple(link(name, label) for name, label in data.items())),)),
    ]


@dataclass(frozen=True, slots=True)
class _Linker:
    address: Callable[[str], str]
    language: str
    version: int | None = None

    def __call__(self, name: str, label: str, row: str = "", **told: str) -> Link:
        of = {"language": self.language, "version": "" if self.version is None else str(self.version)}
        asked = {**{name: value for name, value in of.items() if value}, **told}
        path = self.address(name)
        return Link(
            label=label,
            full_label=f"{label}, {row}" if row else label,
            name=name,
            query=urlencode(told),
            href=f"{path}?{urlencode(asked)}" if asked else path,
        )
