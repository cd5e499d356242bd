"""A job that is prepared in several calls before it is handed in, and the profile that says what is to be done with it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import PersonalToken
from whisper_jobs.models.job import Job
from whisper_jobs.models.upload import Upload


class Captions(models.TextChoices):
    """How lines of captions are broken (see speech.captions)."""

    PLAIN = "plain", _("As transcribed")
    WEB = "web", _("For the web")
    BROADCAST = "broadcast", _("For broadcast")


class Profile(models.Model):
    """One person's way to have recordings worked on, called by its name. What is blank or None is the server's own."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profiles", db_index=False
    )
    name = models.CharField(_("name"), max_length=100)
    #: The transcript waits until a person has approved of it in the editor.
    human_editing = models.BooleanField(_("a person edits and approves the transcript"), default=False)
    speaker_names = models.BooleanField(_("speakers are told apart and named"), default=True)
    min_speakers = models.PositiveSmallIntegerField(null=True, blank=True)
    max_speakers = models.PositiveSmallIntegerField(null=True, blank=True)
    model = models.CharField(max_length=100, blank=True)
    #: Of orders that name none.
    language = models.CharField(max_length=16, blank=True)
    use_glossary = models.BooleanField(_("words of the glossary are expected"), default=False)
    captions = models.CharField(_("captions"), max_length=9, choices=Captions, default=Captions.WEB)
    #: Characters of a line and lines of a caption, where they are not those of `captions`.
    max_line = models.PositiveSmallIntegerField(null=True, blank=True)
    max_lines = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Where to tell how an order ended that names no address of its own.
    callback_url = models.TextField(blank=True)
    #: Names of what an order has to tell before it can be started.
    required_metadata = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="profile_named_once")]
        verbose_name, verbose_name_plural = _("profile"), _("profiles")

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """Pending until `job` is there; then it is as far as its job is. What it asks for is checked when it is told."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: That made it, and signs its callbacks.
    token = models.ForeignKey(PersonalToken, on_delete=models.SET_NULL, null=True, related_name="+")
    is_sandbox = models.BooleanField(default=False)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, null=True, related_name="order")
    #: None for a built-in one; `profile_name` is what was asked for.
    profile = models.ForeignKey(Profile, on_delete=models.SET_NULL, null=True, related_name="orders")
    profile_name = models.CharField(max_length=100)
    name = models.CharField(max_length=200, blank=True)
    #: The caller's own number for it.
    external_id = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=16, blank=True)
    glossary = models.JSONField(default=list)
    labels = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)
    #: Of the recording one of the two; an upload is whole when it is named here.
    media_url = models.TextField(blank=True)
    upload = models.ForeignKey(Upload, on_delete=models.SET_NULL, null=True, related_name="+")
    has_media = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["owner", "-id"], name="order_owner_newest")]
        verbose_name, verbose_name_plural = _("order"), _("orders")

    def __str__(self) -> str:
        return f"order {self.pk}"
