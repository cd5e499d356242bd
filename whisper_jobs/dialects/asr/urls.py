"""The two paths, as they are published."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.asr import views

app_name = "asr"
urlpatterns = [
    path("asr", views.asr, name="asr"),
    path("detect-language", views.detect_language, name="detect-language"),
]
