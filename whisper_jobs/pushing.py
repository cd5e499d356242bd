"""One web push: sealed for the one browser that may read it (RFC 8291), signed (RFC 8292), sent through the guard (RFC 8030).

Knows neither rows nor settings.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from whisper_jobs import posting
from whisper_jobs.outbound import Guard
from whisper_jobs.posting import Outcome

#: A push service keeps it so long for a browser that is away.
TTL_SECONDS = 86_400
#: RFC 8292 allows a day; clocks differ.
TOKEN_SECONDS = 12 * 3600
#: What is answered for a browser that is not subscribed any more.
GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a browser is reached and what it is sealed with; the keys in URL-safe base64."""

    endpoint: str
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """This server to push services. `contact` is a mailto: or https: address of who runs it."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str


def decoded(text: str) -> bytes:
    """URL-safe base64 with or without padding. Raises ValueError."""
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error) as error:
        raise ValueError("no base64") from error


def check_keys(browser: Browser) -> None:
    """Raises ValueError for keys that nothing can be sealed with."""
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(browser.p256dh))
    if len(decoded(browser.auth)) != 16:
        raise ValueError("the secret has 16 bytes")


def push(browser: Browser, body: bytes, *, topic: str, signer: Signer, guard: Guard) -> Outcome:
    """Never raises: whatever happens is an outcome. `body` has 3993 bytes at most, so that 4096 go out sealed. Of several
    with one `topic` a browser that was away gets the last.
    """
    began = time.monotonic()
    status, failure, retry_after = None, "", 0.0
    try:
        answer = posting.exchange(browser.endpoint, _sealed(browser, body), _headers(browser, topic, signer), guard)
        status, retry_after = answer.status, answer.retry_after_seconds
        failure = _judge(status)
    except Exception as error:  # a thread that ended otherwise would leave its notice claimed
        failure = posting.failure_of(error)
    return Outcome(status, failure, retry_after, round((time.monotonic() - began) * 1000))


def _sealed(browser: Browser, body: bytes) -> bytes:
    sealed: bytes = http_ece.encrypt(
        body,
        salt=os.urandom(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=decoded(browser.p256dh),
        auth_secret=decoded(browser.auth),
        version="aes128gcm",
    )
    return sealed


def _headers(browser: Browser, topic: str, signer: Signer) -> Mapping[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "User-Agent": "ToolsWhisper",
        "Accept-Encoding": "identity",
        "TTL": str(TTL_SECONDS),
        "Urgency": "normal",
        "Topic": topic,
        "Authorization": f"vapid t={_token(browser.endpoint, signer)}, k={_point(signer.key)}",
    }


def _token(endpoint: str, signer: Signer) -> str:
    address = urlsplit(endpoint)
    claims = {
        "aud": f"{address.scheme}://{address.netloc}",
        "exp": int(time.time()) + TOKEN_SECONDS,
        "sub": signer.contact,
    }
    return jwt.encode(claims, signer.key, algorithm="ES256")


def _point(key: ec.EllipticCurvePrivateKey) -> str:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _judge(status: int) -> str:
    if status in GONE:
        return "gone"
    if 300 <= status < 400:
        return "redirect"
    return "" if 200 <= status < 300 else "answer"
