"""Socket paths of this dialect."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.openai.realtime import RealtimeConsumer

websocket_urlpatterns = [path("v1/realtime", RealtimeConsumer.as_asgi())]
