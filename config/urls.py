"""The site map."""

from __future__ import annotations

from django.urls import include, path

handler400 = "config.refusals.bad_request"
handler404 = "config.refusals.not_found"
handler500 = "config.refusals.server_error"
urlpatterns = [
    path("api/account/", include("accounts.api_urls")),
    path("api/whisper/", include("whisper_jobs.dialects.native.urls")),
    path("", include("whisper_jobs.health.urls")),
    path("", include("accounts.urls")),
    path("", include("whisper_jobs.web.urls")),
]
