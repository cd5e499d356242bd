"""What the public page of a share tells: only what belongs to the transcript, nothing of who made it or of this server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from sharing import article, audio
from sharing.models import Share
from whisper_jobs import exports, results
from whisper_jobs.models import Analysis, EnrichmentState, Job, Segment, TranslatedSegment, Translation
from whisper_jobs.payloads import ANALYSIS_PARTS, duration_human
from whisper_jobs.speech import transcript as spoken
from whisper_jobs.speech.formats import FORMATS, Format
from whisper_jobs.speech.languages import LANGUAGES

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tab:
    """A language that the transcript can be read in."""

    code: str
    name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows beside the text; `language` is that of the text, empty where nobody knows."""

    title: str
    date: datetime
    duration: str
    language: str
    language_name: str
    is_draft: bool
    is_translation: bool
    tabs: list[Tab]
    downloads: list[exports.Group]
    audio_url: str
    analysis: Json | None
    analysis_language: str


class Reading:
    """A share as one visitor reads it: in the original, or in one of the languages that it was translated to."""

    def __init__(self, share: Share, language: str) -> None:
        self.share, self.job = share, share.job
        done = Translation.objects.filter(job=share.job, state=EnrichmentState.DONE).order_by("index")
        self._translations = {row.language: row for row in done}
        self.translation = self._translations.get(language)

    def page(self) -> Page:
        job, analysis = self.job, _analysis(self.share)
        language = self.translation.language if self.translation else job.text_language
        return Page(
            title=title_of(job),
            date=job.created_at,
            duration=duration_human(job.source_duration_seconds) or "",
            language=language,
            language_name=_named(language),
            is_draft=job.quality == "draft",
            is_translation=self.translation is not None,
            tabs=self._tabs(),
            downloads=self._downloads(),
            audio_url=reverse("sharing:audio", args=[self.share.token]) if plays_audio(self.share) else "",
            analysis=_shown(analysis) if analysis else None,
            analysis_language=analysis.language if analysis else "",
        )

    def article(self) -> Iterator[str]:
        return article.render(self._spoken(results.names_of(self.job)))

    def _spoken(self, names: dict[str, str]) -> Iterator[spoken.Segment]:
        """Without the words and their times: most of what is stored, and none of it is shown."""
        for start, end, text, speaker in self._rows().iterator(chunk_size=results.CHUNK):
            yield spoken.Segment(start, end, text, speaker=names.get(speaker, speaker) or None)

    def _rows(self) -> QuerySet[Any, tuple[float, float, str, str]]:
        if self.translation is None:
            heard = Segment.objects.filter(job=self.job).order_by("start", "id")
            return heard.values_list("start", "end", "text", "speaker")
        texts = TranslatedSegment.objects.filter(translation=self.translation).order_by("segment__start", "segment_id")
        return texts.values_list("segment__start", "segment__end", "text", "segment__speaker")

    def _tabs(self) -> list[Tab]:
        """None where there is nothing to choose."""
        if not self._translations:
            return []
        original = self.job.text_language
        address, here = reverse("sharing:transcript", args=[self.share.token]), self.translation
        first = Tab(original, _named(original) or _("Original"), address, here is None)
        others = (
            Tab(code, _named(code), f"{address}?{urlencode({'language': code})}", row is here)
            for code, row in self._translations.items()
        )
        return [first, *others]

    def _downloads(self) -> list[exports.Group]:
        def address(name: str) -> str:
            return reverse("sharing:download", args=[self.share.token, name])

        return exports.menu(address, self.translation.language if self.translation else "")


def title_of(job: Job) -> str:
    """Never the file's name or the link: they may say more than was meant to be shown."""
    return job.source_label or job.source_title or _("Transcript")


def plays_audio(share: Share) -> bool:
    return share.allow_audio and audio.is_playable(share.job)


def download(share: Share, name: str, language: str) -> tuple[Format, spoken.Transcript]:
    """How to write it, and what, under the page's title. Raises Http404 for a format or a language that there isn't."""
    form = FORMATS.get(name)
    # PostgreSQL has no text with a NUL in it.
    if form is None or "\0" in language:
        raise Http404
    try:
        return form, replace(results.transcript_of(share.job, language), title=title_of(share.job))
    except results.NotTranslated as error:
        raise Http404 from error


def second_of(job: Job, asked: float) -> int | None:
    """The place in the page at which is read what is said then: the segment that began last."""
    begun = Segment.objects.filter(job=job, start__lt=int(asked) + 1).exclude(text="").order_by("-start")
    found = begun.values_list("start", flat=True).first()
    return None if found is None else article.second_of(found)


def _analysis(share: Share) -> Analysis | None:
    done = Analysis.objects.filter(job=share.job, state=EnrichmentState.DONE)
    return done.first() if share.show_analysis else None


def _shown(analysis: Analysis) -> Json | None:
    """Its parts; where none could be made out, the text as it came."""
    parts = {part: analysis.data.get(part) or empty for part, empty in ANALYSIS_PARTS.items()}
    chapters = [_chapter(one) for one in parts.pop("chapters")]
    has_parts = bool(chapters or any(parts.values()))
    return {**parts, "chapters": chapters, "text": "" if has_parts else analysis.text}


def _chapter(one: Json) -> Json:
    at = article.second_of(one["start"])
    return {"title": one["title"], "second": at, "clock": duration_human(at)}


def _named(code: str) -> str:
    return _(LANGUAGES[code]) if code in LANGUAGES else code
