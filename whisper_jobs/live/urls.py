"""Socket paths."""

from __future__ import annotations

from django.urls import path, re_path

from whisper_jobs.live.consumers import JobConsumer, NowhereConsumer, QueueConsumer

websocket_urlpatterns = [
    path("ws/whisper/jobs/<int:job_id>", JobConsumer.as_asgi()),
    path("ws/whisper/queue", QueueConsumer.as_asgi()),
    re_path("", NowhereConsumer.as_asgi()),
]
