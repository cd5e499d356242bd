"""What answers look like, for the description alone: nothing is read or written with these. Made by payloads and responses."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    FloatField,
    IntegerField,
    ListField,
    Serializer,
)

from whisper_jobs.dialects.native.openapi.review_shapes import ApprovalSerializer
from whisper_jobs.errors import FAILURES
from whisper_jobs.models import Channel, DeliveryForm, EnrichmentState, SourceType
from whisper_jobs.states import Kind, Stage, Status, StepState

Any_ = Serializer[Any]
CALLBACK_STATES = ("pending", "delivered", "failed", "dropped")


def optional(help_text: str = "") -> CharField:
    """Text, or null."""
    return CharField(allow_null=True, help_text=help_text)


def number(help_text: str = "") -> FloatField:
    """A number, or null."""
    return FloatField(allow_null=True, help_text=help_text)


def count(help_text: str = "") -> IntegerField:
    """A whole number, or null."""
    return IntegerField(allow_null=True, help_text=help_text)


def moment() -> DateTimeField:
    """A time, or null."""
    return DateTimeField(allow_null=True)


class LimitsSerializer(Any_):
    """What the caller may have; null where nothing limits it."""

    max_queued_jobs = count()
    queued = IntegerField()
    monthly_minutes = count()
    used_minutes = number()
    left_minutes = number()
    renews_at = moment()
    limited_by = ChoiceField(["user", "organisation"], allow_null=True, help_text="Whose minutes these are.")


class ErrorSerializer(Any_):
    """Every refusal and every fault."""

    ok = BooleanField(help_text="Always false.")
    message = CharField(help_text="A sentence for a person.")
    code = CharField(help_text="A word for a program.")
    errors = DictField(child=ListField(child=CharField()), help_text="Field → sentences about it.")  # type: ignore[assignment]
    limits = LimitsSerializer(required=False)


class MessageSerializer(Any_):
    ok = BooleanField()
    message = CharField()


class OkSerializer(Any_):
    ok = BooleanField()


class StepSerializer(Any_):
    kind = ChoiceField(Kind.choices)
    label = CharField()  # type: ignore[assignment]
    state = ChoiceField(StepState.choices)
    attempts = IntegerField()
    error = optional()
    total = IntegerField(required=False, help_text="Windows in all; only in the step `window`.")
    done = IntegerField(required=False)


class WindowsSerializer(Any_):
    total = IntegerField()
    done = IntegerField()


class LogLineSerializer(Any_):
    at = DateTimeField()
    level = CharField()
    stage = ChoiceField(Stage.choices)
    message = CharField()


class LivenessSerializer(Any_):
    state = ChoiceField(["alive", "stalled", "idle"])
    last_heartbeat_at = moment()
    worker = optional()


class SpeakerSerializer(Any_):
    label = CharField()  # type: ignore[assignment]
    name = optional()
    seconds = FloatField()
    colour = IntegerField(required=False, help_text="A place in the palette of the pages, where somebody chose one.")
    speaker_id = optional("The enrolled speaker who it is: recognised by the voice, or named by a person.")
    recognised = BooleanField(help_text="Recognised by the voice.")


class DiarizationSerializer(Any_):
    state = ChoiceField(["done", "skipped", "disabled", "failed", "pending"])
    reason = optional()
    speakers = SpeakerSerializer(many=True)


class EnrichmentSerializer(Any_):
    """What an analysis and a translation have in common."""

    language = CharField()
    state = ChoiceField(EnrichmentState.choices)
    text = optional()
    model = optional()
    error = optional("Why it is not there.")
    prompt_tokens = IntegerField()
    completion_tokens = IntegerField()
    finished_at = moment()


class TranslationSerializer(EnrichmentSerializer):
    """One translation of the transcript."""

    exports = DictField(child=CharField(), help_text="Format → path, once it is done.")


class ActionItemSerializer(Any_):
    text = CharField()
    owner = CharField(required=False, allow_null=True)
    due = CharField(required=False, allow_null=True)


class ChapterSerializer(Any_):
    title = CharField()
    start = FloatField(help_text="Seconds.")


class AnalysisSerializer(EnrichmentSerializer):
    """The analysis of the transcript; `text` is the whole of it to read."""

    summary = optional()
    key_points = ListField(child=CharField())
    decisions = ListField(child=CharField())
    action_items = ActionItemSerializer(many=True)
    chapters = ChapterSerializer(many=True)


class SharedSerializer(Any_):
    """The public page of a transcript: whoever has the link can read it."""

    url = CharField()
    created_at = DateTimeField()
    expires_at = moment()
    has_passcode = BooleanField()
    allow_audio = BooleanField()
    show_analysis = BooleanField()
    views = IntegerField()
    last_viewed_at = moment()


class CallbackSerializer(Any_):
    url = CharField()
    status = ChoiceField(CALLBACK_STATES)
    http_status = count()
    last_attempt_at = moment()
    delivered_at = moment()
    error = optional()


class AttemptSerializer(Any_):
    """One try to deliver a callback."""

    number = IntegerField()
    at = DateTimeField()
    event = CharField()
    webhook_id = CharField()
    http_status = count()
    error = optional()
    duration_ms = IntegerField()


class DeliverySerializer(CallbackSerializer):
    """The callback with its schedule."""

    event = optional()
    form = ChoiceField(DeliveryForm.values)
    webhook_id = CharField()
    attempts = IntegerField()
    next_attempt_at = moment()


class AttemptsAnswerSerializer(Any_):
    """The newest attempts first."""

    ok = BooleanField()
    callback = DeliverySerializer(allow_null=True)
    attempts = AttemptSerializer(many=True)


class GapSerializer(Any_):
    start = FloatField()
    end = FloatField()


class CoverageSerializer(Any_):
    """How much of the detected speech has words."""

    speech_seconds = FloatField(required=False)
    transcribed_seconds = FloatField(required=False)
    ratio = FloatField(required=False, allow_null=True)
    gaps = GapSerializer(many=True, required=False)


class JobSummarySerializer(Any_):
    """A job in a list."""

    id = IntegerField()
    url = CharField(help_text="Path of its page.")
    title = CharField()
    status = ChoiceField(Status.choices)
    status_label = CharField()
    stage = ChoiceField(Stage.choices, help_text="What the job does, finer than its status.")
    stage_label = CharField()
    stage_detail = CharField()
    progress = FloatField(help_text="0–100.")
    revision = IntegerField(help_text="Grows with every change.")
    queue_channel = ChoiceField(Channel.choices)
    queue_channel_label = CharField()
    queue_position = count("1 is next; null once it has been heard.")
    eta_seconds = count("null where nothing was measured yet.")
    owner_email = CharField()
    created_at = DateTimeField()
    started_at = moment()
    completed_at = moment()
    attempts = IntegerField()
    cancel_requested = BooleanField()
    failure_code = ChoiceField(list(FAILURES), allow_null=True)
    failure_error = optional()
    source_type = ChoiceField(SourceType.choices)
    source_url = optional()
    source_label = optional()
    source_note = optional()
    source_title = optional()
    source_filename = optional()
    source_mime = optional()
    source_size_bytes = count()
    source_duration_seconds = number()
    source_duration_human = optional()
    model = CharField()
    requested_model = CharField()
    engine = optional()
    engine_reason = optional()
    quality = optional("`draft` where the words come from the draft engine.")
    language = optional()
    detected_language = optional()
    language_probability = number("Of the detected language, 0–1, where the engine tells it.")
    backend = optional("`A`: an engine of this server; `B`: the relay.")
    sandbox = BooleanField(help_text="Handed in with a token of the sandbox: what there is of it is made up.")


class JobSerializer(JobSummarySerializer):
    """One job, whole."""

    source_description = optional()
    source_sha256 = optional()
    transcript_text = optional("The text, or what has been heard so far.")
    speaker_aware_transcript = optional()
    transcript_version = IntegerField(help_text="How often it was corrected.")
    corrected_at = moment()
    segments_url = CharField()
    exports = DictField(child=CharField(), help_text="Format → path, once the job is completed.")
    steps = StepSerializer(many=True)
    windows = WindowsSerializer()
    runtime_log = LogLineSerializer(many=True)
    liveness = LivenessSerializer()
    coverage = CoverageSerializer(allow_null=True)
    diarization = DiarizationSerializer()
    analysis = AnalysisSerializer(allow_null=True)
    translations = TranslationSerializer(many=True)
    share = SharedSerializer(allow_null=True)
    callback = CallbackSerializer(allow_null=True)
    review = ApprovalSerializer(allow_null=True)


class JobAnswerSerializer(Any_):
    ok = BooleanField()
    message = CharField(required=False)
    job = JobSerializer()


class JobsAnswerSerializer(Any_):
    ok = BooleanField()
    jobs = JobSummarySerializer(many=True)
    next = count("Cursor of the next page; null at the end.")


class WordSerializer(Any_):
    start = FloatField()
    end = FloatField()
    word = CharField()
    probability = number()


class SegmentSerializer(Any_):
    id = IntegerField()
    start = FloatField()
    end = FloatField()
    text = CharField()
    speaker = optional("A label of `diarization.speakers`.")
    probability = number()
    suspect = optional("Why the text may be wrong: `repeats`, `no_speech` or `unsure`.")
    words = WordSerializer(many=True)
    revision = IntegerField(help_text="Of the job, when the segment was last changed.")
    checked = BooleanField(help_text="A person has corrected it, or found it right.")


class SegmentsAnswerSerializer(Any_):
    ok = BooleanField()
    segments = SegmentSerializer(many=True)
    next = count("Offset of the next page; null at the end.")


class CountsSerializer(Any_):
    queued = IntegerField()
    processing = IntegerField()
    completed = IntegerField()
    failed = IntegerField()


class UploadLimitSerializer(Any_):
    configured_mb = IntegerField()
    php_upload_max_mb = count("Always null: there is no PHP here.")
    php_post_max_mb = count("Always null.")
    effective_max_mb = IntegerField()
    effective_max_label = CharField()
    limited_by_php = BooleanField(help_text="Always false.")
    request_body_max_mb = count()
    disk_free_mb = count()
    limited_by = ChoiceField(["configured", "request_body", "disk"], allow_null=True)


class ConfigSerializer(Any_):
    enabled = BooleanField()
    default_model = CharField()
    upload_max_mb = IntegerField()
    upload_limit = UploadLimitSerializer()
    ytdlp_configured = BooleanField()


class StatusAnswerSerializer(Any_):
    ok = BooleanField()
    summary = CountsSerializer()
    can_manage_all = BooleanField()
    limits = LimitsSerializer()
    config = ConfigSerializer()


class RunNowAnswerSerializer(MessageSerializer):
    reset = IntegerField(help_text="Failed jobs that are queued again.")
    queued = IntegerField(help_text="Jobs that wait.")


class UserSerializer(Any_):
    id = IntegerField()
    email = CharField()
    name = CharField(allow_blank=True)
    language = optional()
    is_admin = BooleanField()
    tenant = CharField()
    permissions = ListField(child=CharField())


class PairAnswerSerializer(Any_):
    """An access token for minutes, and a refresh token that gives the next pair, once."""

    ok = BooleanField()
    access = CharField()
    refresh = CharField()
    user = UserSerializer()
