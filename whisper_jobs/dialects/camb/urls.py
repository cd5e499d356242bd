"""Paths under /apis/, without a slash at their end, as they are published."""

from __future__ import annotations

from django.urls import path, re_path

from whisper_jobs.dialects.camb import views

app_name = "camb"
urlpatterns = [
    path("transcribe", views.TranscribeView.as_view(), name="transcribe"),
    path("transcribe/<str:task_id>", views.TaskView.as_view(), name="task"),
    path("transcription-result/<str:run_id>", views.ResultView.as_view(), name="result"),
    path("transcription-results", views.ResultsView.as_view(), name="results"),
    path("transcription-files/<str:name>", views.FileView.as_view(), name="file"),
    path("source-languages", views.LanguagesView.as_view(), name="source-languages"),
    path("target-languages", views.LanguagesView.as_view(), name="target-languages"),
    re_path(r"", views.NothingView.as_view()),
]
