"""Paths under /api/whisper/ for signed-in users, and those of one job, which the token API has as well."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, include, path

from whisper_jobs.dialects.native import (
    archive_views,
    callback_views,
    check_views,
    correction_views,
    library_views,
    note_views,
    review_views,
    share_views,
    speaker_views,
    views,
)


def of_jobs(prefix: str = "", **access: Any) -> list[URLPattern]:
    """What both APIs have. `access` says who may come in and which jobs there are (see access.TOKEN_API)."""
    job = f"{prefix}jobs/<int:job_id>"
    return [
        path(f"{prefix}search", library_views.SearchView.as_view(**access), name="search"),
        path(f"{prefix}tags", library_views.TagsView.as_view(**access), name="tags"),
        path(f"{prefix}tags/<int:tag_id>", library_views.TagView.as_view(**access), name="tag"),
        path(
            f"{prefix}speakers/<uuid:speaker_id>/recognitions",
            speaker_views.RecognitionsView.as_view(**access),
            name="recognitions",
        ),
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
        path(f"{job}/review", review_views.ReviewView.as_view(**access), name="review"),
        path(f"{job}/spots", check_views.SpotsView.as_view(**access), name="spots"),
        path(f"{job}/corrections", correction_views.CorrectionsView.as_view(**access), name="corrections"),
        path(f"{job}/corrections/preview", correction_views.PreviewView.as_view(**access), name="preview"),
        path(f"{job}/notes", note_views.NotesView.as_view(**access), name="notes"),
        path(f"{job}/notes/<int:note_id>", note_views.NoteView.as_view(**access), name="note"),
        path(f"{job}/tags", library_views.JobTagsView.as_view(**access), name="job-tags"),
        path(f"{job}/trash", library_views.TrashView.as_view(**access), name="trash"),
        path(f"{job}/untrash", library_views.UntrashView.as_view(**access), name="untrash"),
        path(f"{job}/segments", views.SegmentsView.as_view(**access), name="segments"),
        path(f"{job}/exports.zip", archive_views.ArchiveView.as_view(**access), name="archive"),
        path(f"{job}/exports/<str:name>", views.ExportView.as_view(**access), name="export"),
    ]


app_name = "native"
urlpatterns = [
    path("jobs", views.QueueView.as_view(), name="jobs"),
    path("jobs/<int:job_id>/again", views.AgainView.as_view(), name="again"),
    path("run-now", views.RunNowView.as_view(), name="run-now"),
    path("glossary", check_views.GlossaryView.as_view(), name="glossary"),
    *of_jobs(),
    path("uploads/", include("whisper_jobs.dialects.native.tus_urls")),
]
