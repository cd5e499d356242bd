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

from sharing import article, word_times
from sharing.models import Share
from whisper_jobs import exports, playback, results
from whisper_jobs.models import Analysis, Diarization, EnrichmentState, Job, Segment, TranslatedSegment, Translation
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
    #: When each word is said, for the player.
    words_url: str
    chapters: list[article.Chapter]
    analysis: Json | None
    analysis_language: str


class Reading:
    """A share as one visitor reads it: in the original, or in one of the languages that it was translated to."""

    def __init__(self, share: Share, language: str) -> None:
        self.share, self.job = share, share.job
        done = Translation.objects.filter(job=share.job, state=EnrichmentState.DONE).order_by("index")
        self._translations = {row.language: row for row in done}
        self.translation = self._translations.get(language)
        self.analysis = _analysis(share)

    def page(self) -> Page:
        job, analysis, plays = self.job, self.analysis, plays_audio(self.share)
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
            audio_url=self._address("audio") if plays else "",
            words_url=self._address("words", language=self._language) if plays else "",
            chapters=_chapters(analysis),
            analysis=_shown(analysis) if analysis else None,
            analysis_language=analysis.language if analysis else "",
        )

    def article(self) -> Iterator[str]:
        return article.render(self._spoken(), _voices(self.job), _chapters(self.analysis))

    def word_times(self) -> Iterator[str]:
        """Of each sentence on the page; a translation has the times of its sentences alone."""
        heard = self.translation is None
        return word_times.render(results.segments_of(self.job) if heard else self._spoken())

    def _spoken(self) -> Iterator[spoken.Segment]:
        """Without the words and their times: most of what is stored, and none of it is shown."""
        for start, end, text, speaker in self._rows().iterator(chunk_size=results.CHUNK):
            yield spoken.Segment(start, end, text, speaker=speaker or None)

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
        here = self.translation
        first = Tab(original, _named(original) or _("Original"), self._address("transcript"), here is None)
        others = (
            Tab(code, _named(code), self._address("transcript", language=code), row is here)
            for code, row in self._translations.items()
        )
        return [first, *others]

    def _downloads(self) -> list[exports.Group]:
        def address(name: str) -> str:
            return reverse("sharing:download", args=[self.share.token, name])

        return exports.menu(address, self._language)

    @property
    def _language(self) -> str:
        """Of the translation that is read; empty for the original."""
        return self.translation.language if self.translation else ""

    def _address(self, view: str, *, language: str = "") -> str:
        path = reverse(f"sharing:{view}", args=[self.share.token])
        return f"{path}?{urlencode({'language': language})}" if language else path


def title_of(job: Job) -> str:
    """Never the file's name or the link: they may say more than was meant to be shown."""
    return job.source_label or job.source_title or _("Transcript")


def plays_audio(share: Share) -> bool:
    return share.allow_audio and playback.is_playable(share.job)


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
    chapters = parts.pop("chapters")
    if any(parts.values()):
        return {**parts, "text": ""}
    return None if chapters else {**parts, "text": analysis.text}


def _chapters(analysis: Analysis | None) -> list[article.Chapter]:
    if analysis is None:
        return []
    told = analysis.data.get("chapters") or []
    return [article.Chapter(one["title"], one["start"], analysis.language) for one in told]


def _voices(job: Job) -> dict[str, article.Voice]:
    """How each speaker is shown, in the colour that somebody chose, else by the order in which they are first heard."""
    row = Diarization.objects.filter(job=job).only("speakers").first()
    speakers = enumerate(row.speakers) if row else ()
    return {one["label"]: article.Voice(results.name_shown(one), _colour(one, place)) for place, one in speakers}


def _colour(speaker: Json, place: int) -> int:
    chosen = speaker.get("colour")
    return int(place if chosen is None else chosen) % article.COLOURS


def _named(code: str) -> str:
    return _(LANGUAGES[code]) if code in LANGUAGES else code
