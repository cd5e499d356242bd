"""Paths under /v1/modules/scaiecho/, without a slash at their end, as they are published."""

from __future__ import annotations

from django.urls import path, re_path

from whisper_jobs.dialects.scaiecho import speaker_views, views, webrtc_views

app_name = "scaiecho"
_BATCH = [
    path("healthz", views.HealthView.as_view(), name="healthz"),
    path("readyz", views.ReadyView.as_view(), name="readyz"),
    path("transcribe", views.transcribe, name="transcribe"),
    path("transcribe/jobs/<str:job_id>", views.TranscriptionView.as_view(), name="transcription"),
    path("tenant-policy", views.TenantPolicyView.as_view(), name="tenant-policy"),
]
_SPEAKERS = [
    path("speakers", speaker_views.SpeakersView.as_view(), name="speakers"),
    path("speakers/<str:speaker_id>", speaker_views.SpeakerView.as_view(), name="speaker"),
    path("speakers/<str:speaker_id>/warm", speaker_views.WarmView.as_view(), name="speaker-warm"),
]
_WEBRTC = [
    path("stream/transcribe/webrtc/sessions", webrtc_views.SessionsView.as_view(), name="webrtc-sessions"),
    path(
        "stream/transcribe/webrtc/sessions/<str:session_id>", webrtc_views.SessionView.as_view(), name="webrtc-session"
    ),
    path("stream/transcribe/webrtc/sessions/<str:session_id>/offer", webrtc_views.OfferView.as_view()),
    path("stream/transcribe/webrtc/sessions/<str:session_id>/ice-candidates", webrtc_views.CandidatesView.as_view()),
]
urlpatterns = [
    *_BATCH,
    *_WEBRTC,
    *_SPEAKERS,
    re_path(r"", views.NothingView.as_view()),
]
