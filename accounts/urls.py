"""Signing in and out, the language, and a person's own pages under /account/."""

from __future__ import annotations

from allauth.account import views as sign_in
from allauth.socialaccount.providers.openid_connect.views import callback
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path

from accounts import token_views, views

#: By POST only, so that no link or image on another site can sign anybody out.
logout = LogoutView.as_view()

urlpatterns = [
    path("login", sign_in.login, name="login"),
    path("logout", logout, name="logout"),
    path("language", views.set_language, name="set_language"),
    path("account/", views.HubView.as_view(), name="account"),
    path("account/tokens/new/", token_views.NewTokenView.as_view(), name="token_new"),
    path("account/tokens/<int:pk>/", token_views.TokenView.as_view(), name="token"),
    path("account/tokens/<int:pk>/rotate/", token_views.RotateView.as_view(), name="token_rotate"),
    path("account/tokens/<int:pk>/revoke/", token_views.RevokeView.as_view(), name="token_revoke"),
    path("account/openai-key/", token_views.KeyView.as_view(), name="openai_key"),
    path("account/openai-key/remove/", token_views.ForgetKeyView.as_view(), name="openai_key_forget"),
    # The library asks for these by name.
    path("login", sign_in.login, name="account_login"),
    path("logout", logout, name="account_logout"),
    path("account/signup/", sign_in.signup, name="account_signup"),
    path("account/inactive/", sign_in.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", sign_in.reauthenticate, name="account_reauthenticate"),
    path("account/email/", sign_in.email, name="account_email"),
    path("account/email/confirm/", sign_in.email_verification_sent, name="account_email_verification_sent"),
    path("account/password/change/", sign_in.password_change, name="account_change_password"),
    path("account/password/set/", sign_in.password_set, name="account_set_password"),
    path("account/password/reset/", sign_in.password_reset, name="account_reset_password"),
    path("account/password/reset/sent/", sign_in.password_reset_done, name="account_reset_password_done"),
    path(
        "account/password/reset/done/",
        sign_in.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^account/password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        sign_in.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("account/two-step/", include("allauth.mfa.urls")),
    path("account/providers/", include("allauth.socialaccount.urls")),
    path("account/oidc/<str:provider_id>/", views.login_with_provider, name="openid_connect_login"),
    path("account/oidc/<str:provider_id>/callback/", callback, name="openid_connect_callback"),
]
