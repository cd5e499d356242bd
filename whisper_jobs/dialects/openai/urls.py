"""Paths of this dialect below /v1/, as they are published."""

from __future__ import annotations

from django.urls import path, re_path

from whisper_jobs.dialects.openai import realtime_views, views

app_name = "openai"
urlpatterns = [
    path("audio/transcriptions", views.transcriptions, name="transcriptions"),
    path("audio/translations", views.translations, name="translations"),
    path("models", views.ModelsView.as_view(), name="models"),
    path("models/<path:name>", views.ModelView.as_view(), name="model"),
    path("realtime/client_secrets", realtime_views.ClientSecretsView.as_view(), name="client-secrets"),
    path("realtime/transcription_sessions", realtime_views.TranscriptionSessionsView.as_view(), name="live-sessions"),
    re_path(r"", views.NothingView.as_view()),
]
