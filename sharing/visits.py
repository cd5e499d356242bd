"""Who has come: the passcode they have shown, how often strangers may try one, and the count of views."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.signing import BadSignature, TimestampSigner
from django.db import DatabaseError
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts.origin import network_of
from sharing.models import Share
from whisper_jobs.budget import spend

#: A passcode that was right is not asked for again so long.
OPEN_SECONDS = 8 * 3600
#: A page that is loaded again by the same browser within this time is the same view.
VIEW_SECONDS = 30 * 60
#: Passcodes that one address may try per minute, and all addresses together.
TRIES, TRIES_OF_ALL = 5, 60
OPENED, SEEN = "share_opened", "share_seen"
_MARK = "open"
log = logging.getLogger(__name__)


def has_opened(request: HttpRequest, share: Share) -> bool:
    """Whether this visitor may read: there is no passcode, or they have shown the one that is set now."""
    if not share.passcode:
        return True
    try:
        return _signer(share).unsign(request.COOKIES.get(OPENED, ""), max_age=OPEN_SECONDS) == _MARK
    except BadSignature:
        return False


def remember_opened(answer: HttpResponseBase, share: Share) -> None:
    _keep(answer, share, OPENED, _signer(share).sign(_MARK), OPEN_SECONDS)


def _signer(share: Share) -> TimestampSigner:
    """Good for one share with one passcode: whoever knew the passcode before is locked out when it changes."""
    return TimestampSigner(salt=f"sharing.opened:{share.pk}:{share.passcode}")


def seconds_until_try(request: HttpRequest, share: Share) -> float:
    """Counts an attempt. Above 0 it may not be made, and the next one only after so long."""
    now = time.time()
    own = spend(f"share:{share.pk}:{network_of(request)}", TRIES, now=now).wait_seconds
    return own or spend(f"share:{share.pk}", TRIES_OF_ALL, now=now).wait_seconds


def is_passcode(share: Share, typed: str) -> bool:
    return check_password(typed.strip(), share.passcode)


def is_new(request: HttpRequest) -> bool:
    """Whether this browser has not read the page lately."""
    return SEEN not in request.COOKIES


def remember_seen(answer: HttpResponseBase, share: Share) -> None:
    _keep(answer, share, SEEN, "1", VIEW_SECONDS)


def counted(page: Iterator[str], share: Share) -> Iterator[str]:
    """The page, whose view is counted when it has been sent: no reader waits until that can be written."""
    try:
        yield from page
    finally:
        _count(share)


def _count(share: Share) -> None:
    """In one statement. A count that can't be written keeps nobody from reading."""
    try:
        Share.objects.filter(pk=share.pk).update(views=F("views") + 1, last_viewed_at=timezone.now())
    except DatabaseError as error:
        log.warning("a view was not counted: %s", error)


def _keep(answer: HttpResponseBase, share: Share, name: str, value: str, seconds: int) -> None:
    """A cookie that is sent to this share's pages alone."""
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=reverse("sharing:transcript", args=[share.token]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
