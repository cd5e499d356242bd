"""The pages at /whisper."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from whisper_jobs.web import analysis_page, dashboard, doctor_page, prompt_views, share_page, speech_page, views

app_name = "web"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:queue"), name="home"),
    path("whisper", views.QueueView.as_view(), name="queue"),
    path("whisper/manage", dashboard.DashboardView.as_view(), name="manage"),
    path("whisper/manage/doctor", doctor_page.DoctorView.as_view(), name="doctor"),
    path("whisper/manage/run", dashboard.RunNowView.as_view(), name="run-now"),
    path("whisper/sample", views.SampleView.as_view(), name="sample"),
    path("whisper/jobs/<int:job_id>", views.JobView.as_view(), name="job"),
    path("whisper/jobs/<int:job_id>/again", views.AgainView.as_view(), name="again"),
    path("whisper/jobs/<int:job_id>/enrichment", analysis_page.EnrichmentView.as_view(), name="enrichment"),
    path("whisper/jobs/<int:job_id>/analyse", analysis_page.AnalyseView.as_view(), name="analyse"),
    path("whisper/jobs/<int:job_id>/translate", analysis_page.TranslateView.as_view(), name="translate"),
    path("whisper/jobs/<int:job_id>/speech", speech_page.SpeechView.as_view(), name="speech"),
    path("whisper/jobs/<int:job_id>/share", share_page.ShareView.as_view(), name="share"),
    path("whisper/templates", prompt_views.PromptsView.as_view(), name="prompts"),
    path("whisper/templates/<int:pk>", prompt_views.PromptView.as_view(), name="prompt"),
    path("whisper/templates/<int:pk>/delete", prompt_views.DeletePromptView.as_view(), name="prompt_delete"),
    path("whisper/jobs/<int:job_id>/callback", views.ReplayView.as_view(), name="replay"),
]
