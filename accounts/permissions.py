"""The published permission names and what they are called in Django's tables."""

from __future__ import annotations

from django.contrib.auth.models import Permission

from accounts.models import User

#: published name → "app_label.codename"
PUBLISHED = {
    "whisper.use": "whisper.use",
    "whisper.manage": "whisper.manage",
    "whisper.api": "whisper.api",
    "scaiecho:transcribe": "whisper.scaiecho_transcribe",
    "scaiecho:diarize": "whisper.scaiecho_diarize",
    "scaiecho:enroll": "whisper.scaiecho_enroll",
    "scaiecho:admin": "whisper.scaiecho_admin",
    "provider_openai": "accounts.provider_openai",
}


def grant(user: User, published: str) -> None:
    """Gives `user` one published permission; raises KeyError for an unknown name."""
    app_label, codename = PUBLISHED[published].split(".")
    user.user_permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
