"""Paths of the description under /api/."""

from __future__ import annotations

from django.urls import path

from whisper_jobs.dialects.native.openapi import views

app_name = "openapi"
urlpatterns = [
    path("schema", views.SchemaView.as_view(), name="schema"),
    path("docs", views.SwaggerView.as_view(), name="docs"),
    path("redoc", views.RedocView.as_view(), name="redoc"),
]
