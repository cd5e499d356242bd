"""Takes somebody's account away from them: from now on nothing that was signed in with it is answered."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts import jwt
from accounts.models import User


@transaction.atomic
def deactivate(user: User) -> None:
    """Every check of who asks refuses an inactive user at once; sessions and refresh tokens are ended besides."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    jwt.revoke_all(user)
    for session in UserSession.objects.filter(user=user):
        session.end()
