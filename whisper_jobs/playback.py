"""A recording for a browser's player: which kinds may be played, the part that is asked for, and its bytes in pieces.

Used by the pages of signed-in users and by the public page of a share; who may hear it is decided there.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from whisper_jobs.models import Job

PIECE_BYTES = 256 * 1024
#: What browsers play, by the names they know it under. Anything else could be a page that runs in our name.
KINDS = {
    "audio/3gpp": "audio/3gpp",
    "audio/aac": "audio/aac",
    "audio/flac": "audio/flac",
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/mp4": "audio/mp4",
    "audio/mp4a-latm": "audio/mp4",
    "audio/mpeg": "audio/mpeg",
    "audio/ogg": "audio/ogg",
    "audio/opus": "audio/ogg",
    "audio/vnd.wave": "audio/wav",
    "audio/wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/webm": "audio/webm",
    "audio/x-aac": "audio/aac",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-mpeg": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "video/3gpp": "video/3gpp",
    "video/mp4": "video/mp4",
    "video/mpeg": "video/mpeg",
    "video/ogg": "video/ogg",
    "video/quicktime": "video/quicktime",
    "video/webm": "video/webm",
    "video/x-m4v": "video/mp4",
    "video/x-matroska": "video/x-matroska",
}
_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")


def kind_of(job: Job) -> str:
    """The media type to play it as, by what the source said or by the file's name; empty when it is not played."""
    told = job.source_mime.partition(";")[0].strip().lower()
    guessed = mimetypes.guess_type(job.source_filename)[0] or ""
    return KINDS.get(told) or KINDS.get(guessed, "")


def is_playable(job: Job) -> bool:
    return bool(job.media and kind_of(job))


@dataclass(frozen=True, slots=True)
class Part:
    """`length` bytes from `start`, of `size` in all."""

    start: int
    length: int
    size: int

    @property
    def is_whole(self) -> bool:
        return self.length == self.size

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


class Unsatisfiable(Exception):
    """The part that was asked for lies outside of the recording."""


def part_of(asked: str, size: int) -> Part | None:
    """The part that a Range header asks for; None where it asks for none that is served, and gets the whole."""
    found = _RANGE.fullmatch(asked)
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size or not (first or int(last)):
        raise Unsatisfiable
    return Part(start, end - start, size)


def etag_of(job: Job, size: int) -> str:
    """Says when it is another recording, and nothing of this one."""
    return f'"{salted_hmac("whisper_jobs.playback", f"{job.media}:{size}", algorithm="sha256").hexdigest()[:32]}"'


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def answer(request: HttpRequest, job: Job) -> HttpResponseBase:
    """The recording as a whole or in part, and never as a page. Raises Http404 where the file is gone."""
    try:
        size = default_storage.size(job.media)
    except FileNotFoundError as error:
        raise Http404 from error
    told = _sent(request, job, size)
    told["Accept-Ranges"], told["ETag"] = "bytes", etag_of(job, size)
    told["Content-Disposition"] = "inline"
    # Whatever is in the file, a browser that opens it by itself runs and loads nothing.
    told["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; sandbox"
    return told


def _sent(request: HttpRequest, job: Job, size: int) -> HttpResponseBase:
    try:
        part = part_of(_asked(request, etag_of(job, size)), size)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    sent = part or Part(0, size, size)
    told: dict[str, Any] = {"status": 206 if part else 200, "content_type": kind_of(job)}
    if request.method == "HEAD":
        made: HttpResponseBase = HttpResponse(**told)
    else:
        made = StreamingHttpResponse(pieces(job.media, sent), **told)
    made["Content-Length"] = str(sent.length)
    if part:
        made["Content-Range"] = part.content_range
    return made


def _asked(request: HttpRequest, etag: str) -> str:
    """The Range header, where it is about this recording and not one that the player has seen before."""
    seen = request.headers.get("If-Range", "")
    return request.headers.get("Range", "") if not seen or seen == etag else ""


async def pieces(name: str, part: Part) -> AsyncIterator[bytes]:
    """The bytes of a part, read while they are sent."""
    file = await sync_to_async(default_storage.open)(name)
    left, read = part.length, sync_to_async(_read)
    try:
        while left and (piece := await read(file, part.start + part.length - left, min(left, PIECE_BYTES))):
            left -= len(piece)
            yield piece
    finally:
        file.close()


def _read(file: IO[Any], start: int, length: int) -> bytes:
    file.seek(start)
    return bytes(file.read(length))
