"""The diagram: stages of a job, the published status of each, states of a step, and which lane does which kind.

job    queued → fetching → decoding → waiting → transcribing → diarizing → assembling → enriching → reviewing → completed
       any of them → failed;  failed → queued (restart);  stages only move forward otherwise
step   held → waiting → ready → running → done
       running → ready (retry, lost worker, handed back) | failed | held (cancelled)
       held: something else must happen first;  waiting: a window that schedule may release
       reviewing: no step moves the job, a person does (see review)
       diarize, refill, analyse and translate also run on a completed job, when they are asked for again
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """What the contract publishes."""

    QUEUED = "queued", _("Queued")
    DOWNLOADING = "downloading", _("Downloading")
    TRANSCRIBING = "transcribing", _("Transcribing")
    FINALIZING = "finalizing", _("Finalizing")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")


class Stage(models.TextChoices):
    """What a job is doing, finer than its status. Declared in the order in which a job moves."""

    QUEUED = "queued", _("Waiting in the queue")
    FETCHING = "fetching", _("Downloading the media")
    DECODING = "decoding", _("Reading the sound track")
    WAITING = "waiting", _("Waiting for a free transcriber")
    TRANSCRIBING = "transcribing", _("Transcribing")
    DIARIZING = "diarizing", _("Telling speakers apart")
    ASSEMBLING = "assembling", _("Putting the transcript together")
    ENRICHING = "enriching", _("Analysing and translating")
    REVIEWING = "reviewing", _("Waiting for a person's approval")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")


STATUS_OF: dict[str, Status] = {
    Stage.QUEUED: Status.QUEUED,
    Stage.FETCHING: Status.DOWNLOADING,
    Stage.DECODING: Status.DOWNLOADING,
    Stage.WAITING: Status.TRANSCRIBING,
    Stage.TRANSCRIBING: Status.TRANSCRIBING,
    Stage.DIARIZING: Status.FINALIZING,
    Stage.ASSEMBLING: Status.FINALIZING,
    Stage.ENRICHING: Status.FINALIZING,
    Stage.REVIEWING: Status.FINALIZING,
    Stage.COMPLETED: Status.COMPLETED,
    Stage.FAILED: Status.FAILED,
}
TERMINAL = (Stage.COMPLETED, Stage.FAILED)
ACTIVE = tuple(stage for stage in Stage if stage not in TERMINAL)
PROCESSING = tuple(stage for stage in ACTIVE if stage is not Stage.QUEUED)
#: Stages in which the transcript is whole: it can be read, corrected and downloaded.
READABLE = (Stage.REVIEWING, Stage.COMPLETED)
#: Stages before the first word: such a job has a place in the queue.
UNHEARD = (Stage.QUEUED, Stage.FETCHING, Stage.DECODING, Stage.WAITING)
_ORDER = {stage: place for place, stage in enumerate(Stage)}


def stages_of(status: str) -> tuple[str, ...]:
    return tuple(stage for stage, published in STATUS_OF.items() if published == status)


def later(one: str, other: str) -> str:
    """The one of two stages that is further along."""
    return max(one, other, key=lambda stage: _ORDER[Stage(stage)])


class StepState(models.TextChoices):
    HELD = "held", _("Not yet")
    WAITING = "waiting", _("Waiting")
    READY = "ready", _("Ready")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Kind(models.TextChoices):
    PREPARE = "prepare", _("Choose the engine")
    FETCH = "fetch", _("Download")
    DECODE = "decode", _("Read the sound")
    WINDOW = "window", _("Transcribe")
    DIARIZE = "diarize", _("Tell speakers apart")
    ASSEMBLE = "assemble", _("Assemble")
    REFILL = "refill", _("Transcribe gaps again")
    ANALYSE = "analyse", _("Analyse")
    TRANSLATE = "translate", _("Translate")
    REHEARSE = "rehearse", _("Make up the end")


class Lane(models.TextChoices):
    FETCH = "fetch"
    SPEECH = "speech"
    ENRICH = "enrich"
    DELIVER = "deliver"


LANE_OF: dict[str, Lane] = {
    Kind.PREPARE: Lane.SPEECH,
    Kind.FETCH: Lane.FETCH,
    Kind.DECODE: Lane.FETCH,
    Kind.WINDOW: Lane.SPEECH,
    Kind.DIARIZE: Lane.SPEECH,
    Kind.ASSEMBLE: Lane.DELIVER,
    Kind.REFILL: Lane.SPEECH,
    Kind.ANALYSE: Lane.ENRICH,
    Kind.TRANSLATE: Lane.ENRICH,
    Kind.REHEARSE: Lane.DELIVER,
}
#: Steps that ask a language model.
ENRICHING = (Kind.ANALYSE, Kind.TRANSLATE)
#: Steps that come after the words: they may fail without the job, and run again on a completed one.
OPTIONAL = (Kind.DIARIZE, Kind.REFILL, *ENRICHING)
