"""A file that arrives in pieces, over as many requests as it takes, and waits for the job that is made from it."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models


class Upload(models.Model):
    """Whole once `media` names the original in storage; `taken_at` is when a job took that over."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    filename = models.CharField(max_length=255, blank=True)
    mime = models.CharField(max_length=100, blank=True)
    #: As the client sent it, since it may ask for it again.
    metadata = models.TextField(blank=True)
    length_bytes = models.BigIntegerField()
    offset_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    #: Name in Django's storage of the whole file; empty until it is there.
    media = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: Moves on with every piece.
    expires_at = models.DateTimeField(db_index=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["owner", "expires_at"], name="upload_owner_expiry"),
            models.Index(fields=["media"], name="upload_media"),
        ]

    def __str__(self) -> str:
        return f"{self.offset_bytes} of {self.length_bytes} bytes of {self.filename}"


class UploadPart(models.Model):
    """A piece that is in storage. The parts of an upload follow each other without a gap, up to its offset."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts", db_index=False)
    offset_bytes = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    media = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["upload", "offset_bytes"], name="upload_part_once")]
        indexes = [models.Index(fields=["media"], name="upload_part_media")]

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes from {self.offset_bytes}"
