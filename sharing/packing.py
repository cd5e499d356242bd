"""What is streamed, in pieces that are worth sending, and gzipped for whoever reads that.

Only for pages that hold no secret: the length of a compressed answer tells something of what is in it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from whisper_jobs.streaming import in_pieces

#: Paragraphs that are sent together.
TOGETHER = 100
_GZIP, _LEVEL = 31, 6
_ACCEPTED = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+)?\s*(?:,|$)")


def answer(request: HttpRequest, lines: Iterator[str], *, content_type: str | None = None) -> HttpResponseBase:
    """The lines as they come, the first one at once."""
    pieces = (piece.encode() for piece in _gathered(lines))
    is_packed = bool(_ACCEPTED.search(request.headers.get("Accept-Encoding", "")))
    told = StreamingHttpResponse(in_pieces(_packed(pieces) if is_packed else pieces, 1), content_type=content_type)
    if is_packed:
        told["Content-Encoding"] = "gzip"
    patch_vary_headers(told, ("Accept-Encoding",))
    return told


def _gathered(lines: Iterator[str]) -> Iterator[str]:
    if (first := next(lines, None)) is not None:
        yield first
    while together := list(islice(lines, TOGETHER)):
        yield "".join(together)


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip stream that can be read up to the end of each piece."""
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
