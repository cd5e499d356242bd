"""Socket paths of this dialect."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.scaiecho.stream import StreamConsumer
from whisper_jobs.dialects.scaiecho.webrtc_control import ControlConsumer

websocket_urlpatterns = [
    path("v1/modules/scaiecho/stream/transcribe", StreamConsumer.as_asgi()),
    path("v1/modules/scaiecho/stream/transcribe/webrtc/sessions/<str:session_id>/control", ControlConsumer.as_asgi()),
]
