"""The pages that need no permission: sign in, sign out, language."""

from __future__ import annotations

from django.urls import path
from django.views.i18n import set_language

from accounts import views

urlpatterns = [
    path("login", views.LoginView.as_view(), name="login"),
    path("logout", views.LogoutView.as_view(), name="logout"),
    path("language", set_language, name="set_language"),
]
