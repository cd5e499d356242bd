"""The rows. They hold data and constraints; whoever changes a status goes through lifecycle."""

from whisper_jobs.models.delivery import Attempt, Delivery, DeliveryState
from whisper_jobs.models.enrichment import (
    Analysis,
    Enrichment,
    EnrichmentState,
    PromptTemplate,
    TranslatedSegment,
    Translation,
)
from whisper_jobs.models.idempotency import IdempotencyKey
from whisper_jobs.models.job import BackendPreference, Channel, Job, SourceType, Task
from whisper_jobs.models.log import LogLine
from whisper_jobs.models.pace import Pace
from whisper_jobs.models.results import Diarization, DiarizationState, Segment, Transcript
from whisper_jobs.models.step import Step
from whisper_jobs.models.tally import Tally
from whisper_jobs.models.upload import Upload, UploadPart
from whisper_jobs.models.usage import Usage
from whisper_jobs.models.worker import Worker

__all__ = [
    "Analysis",
    "Attempt",
    "BackendPreference",
    "Channel",
    "Delivery",
    "DeliveryState",
    "Diarization",
    "DiarizationState",
    "Enrichment",
    "EnrichmentState",
    "IdempotencyKey",
    "Job",
    "LogLine",
    "Pace",
    "PromptTemplate",
    "Segment",
    "SourceType",
    "Step",
    "Tally",
    "Task",
    "Transcript",
    "TranslatedSegment",
    "Translation",
    "Upload",
    "UploadPart",
    "Usage",
    "Worker",
]
