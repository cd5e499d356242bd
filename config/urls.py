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
    path("api/job/", include("whisper_jobs.dialects.verbit.urls")),
    path("v1/modules/scaiecho/", include("whisper_jobs.dialects.scaiecho.urls")),
    path("v1/", include("whisper_jobs.dialects.openai.urls")),
    path("apis/", include("whisper_jobs.dialects.camb.urls")),
    path("", include("whisper_jobs.dialects.asr.urls")),
    path("admin/", admin.site.urls),
    path("", include("sharing.urls")),
    path("", include("whisper_jobs.health.urls")),
    path("", include("accounts.urls")),
    path("", include("whisper_jobs.web.urls")),
]
