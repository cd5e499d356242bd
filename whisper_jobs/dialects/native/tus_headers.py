"""The headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload), read and written."""

from __future__ import annotations

import base64
import binascii

from django.utils.http import http_date
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from whisper_jobs.models import Upload
from whisper_jobs.resumable import Beginning, Checksum, Refused

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
BODY_TYPE = "application/offset+octet-stream"
#: As many digits as the database's largest number is sure to hold.
MOST_DIGITS = 18
STATUSES = {
    "too_large": 413,
    "wrong_offset": 409,
    "checksum_mismatch": 460,
    "disk_full": 507,
    "uploads_waiting": 422,
    "empty": 422,
    "expired": 410,
    "wrong_version": 412,
    "wrong_type": 415,
}


class Refusal(APIException):
    """An answer that the protocol gives a status to; what is malformed gets 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code)
        self.status_code = STATUSES.get(code, 400)


def refusal_of(error: Refused) -> Refusal:
    return Refusal(error.code, str(error))


def bytes_of(request: Request, header: str) -> int:
    """A header that counts bytes. Raises Refusal when it is missing or no number."""
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Refusal("bad_header", _("%(header)s must be a whole number of bytes.") % {"header": header})
    return int(text)


def beginning(request: Request) -> Beginning:
    """What POST says of the file."""
    metadata = request.headers.get("Upload-Metadata", "")
    told = _metadata(metadata)
    return Beginning(
        length_bytes=bytes_of(request, "Upload-Length"),
        filename=told.get("filename", told.get("name", "")),
        mime=told.get("filetype", told.get("type", "")),
        metadata=metadata,
    )


def _metadata(text: str) -> dict[str, str]:
    pairs = [pair.strip().partition(" ") for pair in text.split(",") if pair.strip()]
    try:
        told = {key: base64.b64decode(value, validate=True).decode() for key, _space, value in pairs}
    except (binascii.Error, ValueError) as error:
        raise Refusal("bad_header", _("Upload-Metadata must be keys with values in base64.")) from error
    if len(told) != len(pairs):
        raise Refusal("bad_header", _("A key may stand in Upload-Metadata once."))
    return told


def checksum(request: Request) -> Checksum | None:
    text = request.headers.get("Upload-Checksum", "")
    try:
        return Checksum.parse(text) if text else None
    except Refused as error:
        raise refusal_of(error) from error


def body_bytes(request: Request) -> int | None:
    """How long the body is; None where nobody has said."""
    text = request.headers.get("Content-Length", "")
    if not text:
        return None if request.headers.get("Transfer-Encoding") else 0
    return bytes_of(request, "Content-Length")


def has_piece(request: Request) -> bool:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == BODY_TYPE


def place_of(upload: Upload) -> dict[str, str]:
    return {"Upload-Offset": str(upload.offset_bytes), "Upload-Expires": http_date(upload.expires_at.timestamp())}


def description_of(upload: Upload) -> dict[str, str]:
    told = {"Upload-Length": str(upload.length_bytes), "Cache-Control": "no-store", **place_of(upload)}
    return {**told, "Upload-Metadata": upload.metadata} if upload.metadata else told
