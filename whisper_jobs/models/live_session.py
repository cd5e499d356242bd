"""A live session: somebody's microphone while it is open. What is heard is in the live process; this row says where."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from whisper_jobs.models.job import BackendPreference, Job


class Transport(models.TextChoices):
    WEBSOCKET = "websocket", _("WebSocket")
    WEBRTC = "webrtc", _("WebRTC")


class SessionState(models.TextChoices):
    #: Made, nothing was heard yet.
    CREATED = "created", _("Waiting for sound")
    LIVE = "live", _("Live")
    #: The connection is gone; the same client may come back for a while.
    DROPPED = "dropped", _("Connection lost")
    #: What was heard is being made a recording.
    ENDING = "ending", _("Ending")
    CLOSED = "closed", _("Closed")
    #: Nobody connected in time.
    EXPIRED = "expired", _("Expired")
    #: The live process was restarted; what had been heard became a recording all the same.
    LOST = "lost", _("Lost")


#: States in which a client can be connected, or come back.
OPEN_STATES = (SessionState.CREATED, SessionState.LIVE, SessionState.DROPPED)


class LiveSession(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="live_sessions")
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    transport = models.CharField(max_length=9, choices=Transport)
    state = models.CharField(max_length=8, choices=SessionState, default=SessionState.CREATED)
    #: The live process that holds it, by the name under which it announced itself; a restarted one has another.
    process = models.CharField(max_length=120, blank=True)
    #: "web" for the page of this site, "api" for programs: the channel of the job that it becomes.
    channel = models.CharField(max_length=8, default="api")

    language = models.CharField(max_length=16, blank=True)
    #: Of what the client sends; a WebRTC session sends Opus whatever this says.
    media_type = models.CharField(max_length=60, default="audio/wav")
    sample_rate = models.PositiveIntegerField(default=16_000)
    chunk_seconds = models.FloatField(default=5.0)
    backend_preference = models.CharField(max_length=3, choices=BackendPreference, default=BackendPreference.ANY)
    diarize = models.BooleanField(default=False)
    #: For WebRTC, as RTCPeerConnection takes them.
    ice_servers = models.JSONField(default=list)

    audio_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    #: Until then somebody must connect; afterwards, until then a lost client may come back.
    expires_at = models.DateTimeField()
    seen_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    #: Why it ended, where nobody asked for it; a sentence.
    reason = models.CharField(max_length=300, blank=True)
    #: What it became.
    job = models.OneToOneField(Job, on_delete=models.SET_NULL, null=True, related_name="live_session")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["expires_at"], name="live_session_open", condition=Q(state__in=OPEN_STATES)),
            models.Index(fields=["owner", "-created_at"], name="live_session_owner"),
        ]

    def __str__(self) -> str:
        return f"live session {self.pk}"
