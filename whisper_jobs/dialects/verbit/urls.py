"""Paths under /api/job/, without a slash at their end, as they are published."""

from __future__ import annotations

from django.urls import path, re_path

from whisper_jobs.dialects.verbit import views

app_name = "verbit"
urlpatterns = [
    path("new", views.NewView.as_view(), name="new"),
    path("add_media", views.AddMediaView.as_view(), name="add-media"),
    path("perform_transcription", views.StartView.as_view(), name="start"),
    path("info", views.InfoView.as_view(), name="info"),
    path("get_caption", views.CaptionView.as_view(), name="caption"),
    path("draft", views.DraftView.as_view(), name="draft"),
    re_path(r"", views.NothingView.as_view()),
]
