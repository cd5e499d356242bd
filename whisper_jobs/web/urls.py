"""The pages at /whisper."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from whisper_jobs.web import views

app_name = "web"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:queue"), name="home"),
    path("whisper", views.QueueView.as_view(), name="queue"),
    path("whisper/sample", views.SampleView.as_view(), name="sample"),
    path("whisper/jobs/<int:job_id>", views.JobView.as_view(), name="job"),
    path("whisper/jobs/<int:job_id>/again", views.AgainView.as_view(), name="again"),
]
