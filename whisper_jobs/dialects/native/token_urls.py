"""Paths of the token API under /api/whisper/: for programs, which see the jobs of its own channel only."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.native import views
from whisper_jobs.dialects.native.access import TOKEN_API
from whisper_jobs.dialects.native.urls import of_jobs

app_name = "transcribe"
urlpatterns = [
    path("transcribe", views.SubmitView.as_view(**TOKEN_API), name="submit"),
    path("transcribe/jobs", views.JobsView.as_view(**TOKEN_API), name="jobs"),
    *of_jobs("transcribe/", **TOKEN_API),
]
