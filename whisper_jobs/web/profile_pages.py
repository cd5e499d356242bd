"""/whisper/profiles: a person's own ways to have the jobs of programs worked on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from whisper_jobs import profiles
from whisper_jobs.models import Profile
from whisper_jobs.web.page import Page
from whisper_jobs.web.profile_forms import ProfileForm


class ProfilesView(Page):
    """All of them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "whisper/profiles.html", {"profiles": profiles.of(self.user)})


class NewProfileView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        return _page(request, ProfileForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ProfileForm(request.POST, instance=Profile(owner=self.user))
        if form.is_valid() and profiles.of(self.user).count() >= profiles.MOST_PROFILES:
            form.add_error(None, _("You have as many profiles as this server keeps. Delete one first."))
        if not (form.is_valid() and form.keep()):
            return _page(request, form, status=422)
        messages.success(request, _("The profile is kept."))
        return redirect("web:profiles")


class ProfileView(Page):
    """One of them, to be changed."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        profile = self.profile(pk)
        return _page(request, ProfileForm(instance=profile), profile)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ProfileForm(request.POST, instance=self.profile(pk))
        if not (form.is_valid() and form.keep()):
            return _page(request, form, self.profile(pk), status=422)
        messages.success(request, _("The profile is kept."))
        return redirect("web:profiles")

    def profile(self, pk: int) -> Profile:
        return get_object_or_404(profiles.of(self.user), pk=pk)


class DeleteProfileView(ProfileView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return redirect("web:profile", pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.profile(pk).delete()
        messages.success(request, _("The profile is deleted. What was done with it stays."))
        return redirect("web:profiles")


def _page(request: HttpRequest, form: ProfileForm, profile: Profile | None = None, status: int = 200) -> HttpResponse:
    return render(request, "whisper/profile.html", {"form": form, "profile": profile}, status=status)
