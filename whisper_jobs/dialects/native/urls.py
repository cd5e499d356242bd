"""Paths under /api/whisper/ for signed-in users, and those of one job, which the token API has as well."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, include, path

from whisper_jobs.dialects.native import callback_views, share_views, views


def of_jobs(prefix: str = "", **access: Any) -> list[URLPattern]:
    """What both APIs have. `access` says who may come in and which jobs there are (see access.TOKEN_API)."""
    job = f"{prefix}jobs/<int:job_id>"
    return [
        path(f"{prefix}status", views.StatusView.as_view(**access), name="status"),
        path(job, views.JobView.as_view(**access), name="job"),
        path(f"{job}/cancel", views.CancelView.as_view(**access), name="cancel"),
        path(f"{job}/restart", views.RestartView.as_view(**access), name="restart"),
        path(f"{job}/analyze", views.AnalyzeView.as_view(**access), name="analyze"),
        path(f"{job}/translate", views.TranslateView.as_view(**access), name="translate"),
        path(f"{job}/diarize", views.DiarizeView.as_view(**access), name="diarize"),
        path(f"{job}/refill", views.RefillView.as_view(**access), name="refill"),
        path(f"{job}/share", share_views.ShareView.as_view(**access), name="share"),
        path(f"{job}/callback/replay", callback_views.ReplayView.as_view(**access), name="replay"),
        path(f"{job}/callback/attempts", callback_views.AttemptsView.as_view(**access), name="attempts"),
        path(f"{job}/segments", views.SegmentsView.as_view(**access), name="segments"),
        path(f"{job}/exports/<str:name>", views.ExportView.as_view(**access), name="export"),
    ]


app_name = "native"
urlpatterns = [
    path("jobs", views.QueueView.as_view(), name="jobs"),
    path("jobs/<int:job_id>/again", views.AgainView.as_view(), name="again"),
    path("run-now", views.RunNowView.as_view(), name="run-now"),
    *of_jobs(),
    path("uploads/", include("whisper_jobs.dialects.native.tus_urls")),
]
