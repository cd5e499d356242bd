"""Callbacks of the server, verified as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com/)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from tools_whisper.errors import ToolsWhisperError

#: Older ones may have been recorded and sent again by somebody else.
TOLERANCE_SECONDS = 300
_NEEDED = ("webhook-id", "webhook-timestamp", "webhook-signature")


class NotGenuine(ToolsWhisperError):
    """This did not come from the server, or not now."""


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> dict[str, Any]:
    """What the callback tells. `body` as it came, `secret` the token's (`whsec_…`). Raises NotGenuine.

    A callback may come twice: note the `webhook-id` of those you have taken.
    """
    told = {name.lower(): value for name, value in headers.items()}
    if missing := [name for name in _NEEDED if not told.get(name)]:
        raise NotGenuine(f"The header {missing[0]} is missing.")
    at = told["webhook-timestamp"]
    if not (at.isascii() and at.isdigit()) or abs(time.time() - int(at)) > TOLERANCE_SECONDS:
        raise NotGenuine("The callback is too old, or of a time that is still to come.")
    wanted = _signature(secret, f"{told['webhook-id']}.{at}.".encode() + body)
    # Two, while the secret is being changed.
    given = [one.encode() for one in told["webhook-signature"].split(" ")]
    if not any(hmac.compare_digest(wanted, one) for one in given):
        raise NotGenuine("The signature is not that of this secret.")
    event: dict[str, Any] = json.loads(body)
    return event


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotGenuine("The secret is none: it begins with whsec_, and base64 follows.") from error
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
