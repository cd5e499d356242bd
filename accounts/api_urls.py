"""/api/account/: signing in for programs."""

from __future__ import annotations

from django.urls import path

from accounts import api

urlpatterns = [
    path("login", api.LoginView.as_view()),
    path("refresh", api.RefreshView.as_view()),
    path("logout", api.LogoutView.as_view()),
    path("revoke", api.LogoutView.as_view()),
]
