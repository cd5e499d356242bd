"""Analysis and translation of a finished transcript by a language model. Whatever goes wrong here costs no job its words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import tokens
from accounts.models import User
from whisper_jobs import enrich_rows, enrichment, lifecycle, queries, results, schedule
from whisper_jobs.enrichment import Cost, Finding
from whisper_jobs.language_models import analysing, analysis_reading, failures, translating
from whisper_jobs.language_models.asking import Answer, LanguageModel, Question
from whisper_jobs.language_models.splitting import lines_of
from whisper_jobs.models import Analysis, Segment, TranslatedSegment, Translation
from whisper_jobs.moves import Fenced
from whisper_jobs.outbound import Guard
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.transcript import join_text

#: The longest that one call may take.
CALL_SECONDS = 600.0
#: The longest answer, many times what a model writes at once.
ANSWER_BYTES = 4 << 20
#: How long a step works while others of its lane wait.
TURN_SECONDS = 30.0
Stored = ParamSpec("Stored")


class _GaveWay(Exception):
    """The step is another's turn now; it goes on later with what it has stored."""


def analyse(run: Run, watch: Watch) -> None:
    _by_turns(_analyse, run, watch)


def translate(run: Run, watch: Watch) -> None:
    _by_turns(_translate, run, watch)


def _by_turns(work: Callable[[Run, _Asker], None], run: Run, watch: Watch) -> None:
    try:
        work(run, _Asker(run, watch))
    except _GaveWay:
        lifecycle.hand_back(run, give_way=True)


def _analyse(run: Run, ask: _Asker) -> None:
    row = Analysis.objects.filter(job=run.job).first()
    if row is None:
        raise Fenced(run.step.pk)
    segments = list(results.segments_of(run.job))
    end = run.job.source_duration_seconds or max((one.end for one in segments), default=0.0)
    reading = analysing.analyse(
        list(lines_of(segments)),
        analysing.Wish(row.language, row.instruction),
        ask,
        end=end,
        context_tokens=settings.TOOLS.openai_context_tokens,
        memory=analysing.Memory(row.notes, ask.storing(lambda key, text: enrichment.keep_note(run, key, text))),
    )
    text = analysis_reading.render(reading, _headings(row.language))
    data = {**reading.data, "other": reading.rest} if reading.rest else reading.data
    enrichment.finish_analysis(run, Finding(text, ask.model, data))


def _headings(language: str) -> dict[str, str]:
    """In the analysis' own language where this product speaks it, else in English."""
    known = dict(settings.LANGUAGES)
    with override(language if language in known else "en"):
        return {
            "key_points": _("Key points"),
            "decisions": _("Decisions"),
            "action_items": _("Action items"),
            "chapters": _("Chapters"),
        }


def _translate(run: Run, ask: _Asker) -> None:
    row = Translation.objects.filter(job=run.job, index=run.step.index).first()
    if row is None:
        raise Fenced(run.step.pk)
    rows = Segment.objects.filter(job=run.job).order_by("start", "id").values_list("id", "text")
    captions = [translating.Caption(pk, text) for pk, text in rows]
    done = dict(TranslatedSegment.objects.filter(translation=row).values_list("segment_id", "text"))
    translating.translate(
        translating.Work(captions, done),
        row.language,
        ask,
        context_tokens=settings.TOOLS.openai_context_tokens,
        store=ask.storing(lambda texts: enrichment.add_translated(run, texts, total=len(captions))),
    )
    text = join_text(results.segments_of(run.job, translation=row))
    enrichment.finish_translation(run, text=text, model=ask.model or row.model)


class _Asker:
    """Asks for a step: only while it may go on, and what each answer cost is recorded at once."""

    def __init__(self, run: Run, watch: Watch) -> None:
        self.model = ""
        self._run, self._watch, self._has_stored = run, watch, False
        row = enrich_rows.rows_of(run.step).select_related("asked_by").get()
        self._language_model = _language_model(row.asked_by or run.job.owner, watch)

    def __call__(self, question: Question) -> Answer:
        self._watch.check()
        # Never before it has got further: it would begin anew and come no further the next time either.
        if self._has_stored and _turn_is_over(self._watch):
            raise _GaveWay
        answer = self._language_model(question)
        self.model = answer.model or self._language_model.model
        enrichment.spend(self._run, Cost(answer.prompt_tokens, answer.completion_tokens))
        return answer

    def storing(self, store: Callable[Stored, None]) -> Callable[Stored, None]:
        """`store`, after which this step may give way."""

        def stored(*args: Stored.args, **kwargs: Stored.kwargs) -> None:
            store(*args, **kwargs)
            self._has_stored = True

        return stored


def _turn_is_over(watch: Watch) -> bool:
    """After a while when others wait, and in time before the step would be stopped for taking too long."""
    now = time.monotonic()
    lasted, left = now - watch.began, watch.deadline - now
    waited_for = lasted > TURN_SECONDS and schedule.has_work(watch.run.step.lane)
    return waited_for or left < min(CALL_SECONDS, lasted)


def _language_model(user: User, watch: Watch) -> LanguageModel:
    """Looked up when the step runs: permission and key may have changed since it was asked for. Raises JobError."""
    if not queries.can_enrich(user):
        raise failures.failure("not_allowed")
    tools = settings.TOOLS
    key = tokens.provider_key(user) or tools.openai_api_key
    if not key:
        raise failures.failure("no_key")
    guard = Guard(tools.outbound_allow)
    return LanguageModel(
        base_url=tools.openai_base_url,
        api_key=key,
        model=tools.openai_model,
        open_client=lambda: guard.client(timeout=CALL_SECONDS, total_timeout=CALL_SECONDS, max_bytes=ANSWER_BYTES),
        should_stop=watch.stopping,
    )
