"""The site map."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

handler400 = "config.refusals.bad_request"
handler404 = "config.refusals.not_found"
handler429 = "config.refusals.too_many"
handler500 = "config.refusals.server_error"
urlpatterns = [
    path("api/", include("whisper_jobs.dialects.native.openapi.urls")),
    path("api/account/", include("accounts.api_urls")),
    path("api/whisper/", include("whisper_jobs.dialects.native.urls")),
    path("api/whisper/", include("whisper_jobs.dialects.native.token_urls")),
    path("v1/modules/scaiecho/", include("whisper_jobs.dialects.scaiecho.urls")),
    path("admin/", admin.site.urls),
    path("", include("sharing.urls")),
    path("", include("whisper_jobs.health.urls")),
    path("", include("accounts.urls")),
    path("", include("whisper_jobs.web.urls")),
]
