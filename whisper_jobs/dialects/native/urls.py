"""Paths under /api/whisper/."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.native import views

app_name = "native"
urlpatterns = [
    path("status", views.StatusView.as_view(), name="status"),
    path("jobs", views.JobsView.as_view(), name="jobs"),
    path("jobs/<int:job_id>", views.JobView.as_view(), name="job"),
    path("jobs/<int:job_id>/cancel", views.CancelView.as_view(), name="cancel"),
    path("jobs/<int:job_id>/restart", views.RestartView.as_view(), name="restart"),
    path("jobs/<int:job_id>/again", views.AgainView.as_view(), name="again"),
    path("jobs/<int:job_id>/segments", views.SegmentsView.as_view(), name="segments"),
    path("jobs/<int:job_id>/exports/<str:name>", views.ExportView.as_view(), name="export"),
    path("run-now", views.RunNowView.as_view(), name="run-now"),
]
