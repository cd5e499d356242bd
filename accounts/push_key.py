"""The key by which push services know this server (VAPID, RFC 8292): made from SECRET_KEY, so every host has the same.

With another SECRET_KEY browsers have to be subscribed anew, which their page does by itself.
"""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

PURPOSE = b"accounts.push_key/1"
#: https://csrc.nist.gov/pubs/sp/800/186/final, 3.2.1.3
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def private_key() -> ec.EllipticCurvePrivateKey:
    return _made_from(settings.SECRET_KEY)


def public_key() -> str:
    """As browsers are told it: the uncompressed point, in URL-safe base64 without padding."""
    point = private_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


@cache
def _made_from(secret: str) -> ec.EllipticCurvePrivateKey:
    """By extra random bits (FIPS 186-5, A.2.1): 64 bits more than the order has, so that no number is likelier."""
    derived = HKDF(algorithm=SHA256(), length=40, salt=None, info=PURPOSE).derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(derived) % (P256_ORDER - 1) + 1, ec.SECP256R1())
