"""The rows. They hold data and constraints; whoever changes a status goes through lifecycle."""

from whisper_jobs.models.audit import AuditEntry
from whisper_jobs.models.correction import Correction, CorrectionKind
from whisper_jobs.models.delivery import Attempt, Delivery, DeliveryForm, DeliveryState
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
from whisper_jobs.models.library import Passage, SavedView, Tag, Term
from whisper_jobs.models.live_session import OPEN_STATES, LiveSession, SessionState, Transport
from whisper_jobs.models.log import LogLine
from whisper_jobs.models.note import Note
from whisper_jobs.models.notice import Notice, NoticeState, PushSubscription
from whisper_jobs.models.order import Captions, Order, Profile
from whisper_jobs.models.pace import Pace
from whisper_jobs.models.results import Diarization, DiarizationState, Segment, Transcript
from whisper_jobs.models.review import Review, ReviewState
from whisper_jobs.models.speaker import (
    EnrollmentStatus,
    HowNamed,
    JobVoice,
    Replica,
    ReplicaState,
    Scope,
    Speaker,
    VoiceSample,
)
from whisper_jobs.models.step import Step
from whisper_jobs.models.tally import Tally
from whisper_jobs.models.tenant_policy import TenantPolicy
from whisper_jobs.models.upload import Upload, UploadPart
from whisper_jobs.models.usage import Usage
from whisper_jobs.models.waveform import Waveform
from whisper_jobs.models.worker import Worker

__all__ = [
    "OPEN_STATES",
    "Analysis",
    "Attempt",
    "AuditEntry",
    "BackendPreference",
    "Captions",
    "Channel",
    "Correction",
    "CorrectionKind",
    "Delivery",
    "DeliveryForm",
    "DeliveryState",
    "Diarization",
    "DiarizationState",
    "Enrichment",
    "EnrichmentState",
    "EnrollmentStatus",
    "HowNamed",
    "IdempotencyKey",
    "Job",
    "JobVoice",
    "LiveSession",
    "LogLine",
    "Note",
    "Notice",
    "NoticeState",
    "Order",
    "Pace",
    "Passage",
    "Profile",
    "PromptTemplate",
    "PushSubscription",
    "Replica",
    "ReplicaState",
    "Review",
    "ReviewState",
    "SavedView",
    "Scope",
    "Segment",
    "SessionState",
    "SourceType",
    "Speaker",
    "Step",
    "Tag",
    "Tally",
    "Task",
    "TenantPolicy",
    "Term",
    "Transcript",
    "TranslatedSegment",
    "Translation",
    "Transport",
    "Upload",
    "UploadPart",
    "Usage",
    "VoiceSample",
    "Waveform",
    "Worker",
]
