"""Paths under /api/whisper/uploads/."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.native import tus

urlpatterns = [
    path("", tus.UploadsView.as_view(), name="uploads"),
    path("<uuid:upload_id>", tus.UploadView.as_view(), name="upload"),
]
