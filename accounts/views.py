"""Signing in to the pages with a session. Programs sign in through accounts.api."""

from __future__ import annotations

from django.contrib.auth import views

from accounts.forms import LoginForm


class LoginView(views.LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class LogoutView(views.LogoutView):
    """POST only, so that no link or image on another site can sign anybody out."""
