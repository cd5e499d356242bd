"""The process in which a URL is fetched. Run by fetching.py: options on stdin, events as JSON lines on stdout."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import mimetypes
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from whisper_jobs.errors import JobError
from whisper_jobs.media import sniffing
from whisper_jobs.media.limits import Limits, begin, disk_error, restrict
from whisper_jobs.media.naming import safe_name
from whisper_jobs.outbound import Guard, Stream

_OPEN_FILES = 256
_SPARE_BYTES = 1 << 20
_TELL_EVERY_SECONDS = 0.5
_TRIES = 3
_PAGES = {"text/html", "application/xhtml+xml"}
_MANIFESTS = {
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "audio/mpegurl",
    "audio/x-mpegurl",
    "application/dash+xml",
}
_MAY_BE_MEDIA = {
    "",
    "application/octet-stream",
    "application/force-download",
    "application/x-download",
    "application/download",
    "binary/octet-stream",
    "application/ogg",
    "application/mp4",
    "application/x-matroska",
    "application/vnd.rn-realmedia",
    "application/mxf",
}


class Teller:
    """Tells the parent how it goes, about twice a second."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._told_at = 0.0

    def tell(self, **event: Any) -> None:
        self._out.write(json.dumps(event).encode() + b"\n")
        self._out.flush()

    def progress(self, done: int, total: int | None, detail: str, *, now: bool = False) -> None:
        if now or time.monotonic() - self._told_at >= _TELL_EVERY_SECONDS:
            self._told_at = time.monotonic()
            self.tell(event="progress", bytes_done=done, bytes_total=total, detail=detail)


class IsAPage(Exception):
    """The address shows a page or a manifest, in which yt-dlp may find the recording."""


def main() -> None:
    options, out = begin()
    teller = Teller(out)
    refusals: list[str] = []
    try:
        teller.tell(event="done", **_fetch(options, teller, refusals))
    except JobError as error:
        hidden = bool(refusals) and error.code not in ("source_too_large", "source_too_long", "timeout")
        told = JobError("source_private_address") if hidden else error
        teller.tell(event="failed", code=told.code, message=told.message, retry=told.retry)
    except OSError as error:
        told = disk_error(error)
        detail = repr(error) if told.code == "internal_error" else ""
        teller.tell(event="failed", code=told.code, message=told.message, retry=told.retry, detail=detail)
    except Exception as error:
        teller.tell(event="failed", code="internal_error", message="", retry=False, detail=repr(error))


def _fetch(options: dict[str, Any], teller: Teller, refusals: list[str]) -> dict[str, Any]:
    limits = options["limits"]
    url, path = options["url"], Path(options["folder"]) / "media"
    guard = Guard(tuple(ipaddress.ip_network(text) for text in options["allow"]))
    guard.check_url(url)
    guard.confine(refusals.append)
    restrict(
        Limits(
            memory_bytes=limits["memory_bytes"],
            cpu_seconds=limits["cpu_seconds"],
            file_bytes=limits["max_bytes"] + _SPARE_BYTES,
            open_files=_OPEN_FILES,
            network=True,
        )
    )
    teller.progress(0, None, "Opening the address", now=True)
    if not _looks_like_a_file(url):
        from whisper_jobs.media import extracting  # yt-dlp is large; a plain media file does without

        if extracting.knows(url):
            return extracting.fetch(url, path, limits, teller)
    try:
        return Direct(guard, path, limits, teller).fetch(url)
    except IsAPage:
        from whisper_jobs.media import extracting

        return extracting.fetch(url, path, limits, teller)


class Direct:
    """The address is the recording itself."""

    def __init__(self, guard: Guard, path: Path, limits: dict[str, Any], teller: Teller) -> None:
        self._guard = guard
        self._path = path
        self._limits = limits
        self._teller = teller
        self._digest = hashlib.sha256()
        self._done = 0
        self._about: dict[str, Any] = {}

    def fetch(self, url: str) -> dict[str, Any]:
        with self._path.open("wb") as file:
            for tries_left in reversed(range(_TRIES)):
                before = self._done
                try:
                    self._attempt(url, file)
                    break
                except JobError as error:
                    if not (error.retry and tries_left and self._done > before and self._about.get("resumable")):
                        raise
        self._about.pop("resumable")
        return {**self._about, "size_bytes": self._done, "sha256": self._digest.hexdigest()}

    def _attempt(self, url: str, file: IO[bytes]) -> None:
        limits = self._limits
        with self._guard.stream(
            url,
            offset=self._done,
            max_bytes=limits["max_bytes"],
            connect_timeout=limits["connect_timeout"],
            read_timeout=limits["stall_seconds"],
            total_timeout=limits["total_timeout"],
            min_rate=limits["min_rate"],
            rate_window=limits["rate_window"],
        ) as stream:
            if stream.offset != self._done:
                self._start_over(file)
            for chunk in stream.chunks if self._done else self._judged(stream):
                file.write(chunk)
                self._digest.update(chunk)
                self._done += len(chunk)
                self._teller.progress(self._done, stream.total, "Downloading")
        if not self._done:
            raise JobError("media_corrupt", "The file at this address is empty.")

    def _start_over(self, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        self._done = 0
        self._digest = hashlib.sha256()

    def _judged(self, stream: Stream) -> Iterator[bytes]:
        """The chunks, once their head has shown that they are a recording."""
        head = b""
        for chunk in stream.chunks:
            head += chunk
            if len(head) >= sniffing.HEAD_BYTES:
                break
        kind = stream.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        _judge(kind, head)
        name = _file_name(stream)
        self._about = {
            "title": PurePosixPath(name).stem,
            "description": "",
            "duration_seconds": None,
            "mime": _mime(kind, head, name),
            "filename": name,
            "extractor": "direct",
            "resumable": stream.total is not None and stream.headers.get("Accept-Ranges", "").lower() == "bytes",
        }
        yield head
        yield from stream.chunks


def _judge(kind: str, head: bytes) -> None:
    """Raise unless this is, or may be, a recording. Its own first bytes say more than the server does."""
    if sniffing.is_manifest(head) or kind in _MANIFESTS:
        raise IsAPage
    if sniffing.is_list(head):
        raise JobError("source_type_not_supported", "This is a list of recordings. Submit the recordings one by one.")
    if sniffing.media_type(head):
        return
    if sniffing.is_page(head) or kind in _PAGES:
        raise IsAPage
    if not kind.startswith(("audio/", "video/")) and kind not in _MAY_BE_MEDIA:
        raise JobError("source_type_not_supported", f"There is no audio or video at this address, but {kind}.")


def _mime(kind: str, head: bytes, name: str) -> str:
    if kind.startswith(("audio/", "video/")):
        return kind
    return sniffing.media_type(head) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _file_name(stream: Stream) -> str:
    header = Message()
    header["Content-Disposition"] = stream.headers.get("Content-Disposition", "")
    return safe_name(header.get_filename() or unquote(urlsplit(stream.url).path))


def _looks_like_a_file(url: str) -> bool:
    kind, _ = mimetypes.guess_type(urlsplit(url).path)
    return kind is not None and kind.startswith(("audio/", "video/")) and kind not in _MANIFESTS


if __name__ == "__main__":
    main()
