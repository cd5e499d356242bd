"""yt-dlp, as a library, for pages in which a recording hides. Runs in the confined fetching child only.

One audio file at most: no playlists, no live streams, no other programs, no cookies, no configuration, no cache.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import mimetypes
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import yt_dlp
from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
    YoutubeDLError,
)

from whisper_jobs.errors import JobError
from whisper_jobs.media import sniffing
from whisper_jobs.media.limits import disk_error
from whisper_jobs.media.naming import safe_name
from whisper_jobs.outbound import check_status

_PROTOCOLS = {"http", "https", "m3u8_native", "m3u8", "http_dash_segments"}
_MAX_TITLE = 500
_MAX_DESCRIPTION = 20_000
_HASH_BYTES = 1 << 20
#: What sites say, in the order in which it is looked for.
_SAYINGS: tuple[tuple[str, str], ...] = (
    (r"file://|explicitly disabled", "source_private_address"),
    (r"\bage\b|age.restrict|confirm your age|adult|inappropriate for some", "source_age_restricted"),
    (r"not available (in|from) your (country|location|region)|geo.?restrict|geo.?block", "source_blocked"),
    (
        r"\bbot\b|captcha|cloudflare|sign in|log ?in|logged.in|private|members?\b|subscri|cookies|password",
        "source_blocked",
    ),
    (r"premium|purchase|rent(al)? |drm", "source_blocked"),
    (r"unsupported url|no video formats|no media|no suitable|requested format", "source_type_not_supported"),
    (r"removed|deleted|terminated|not found|no longer|does ?n.t exist|unavailable|not available", "source_not_found"),
    (r"timed? ?out|unable to download|unable to connect|resolve|connection", "source_unreachable"),
)


class Teller(Protocol):
    def progress(self, done: int, total: int | None, detail: str, *, now: bool = False) -> None: ...


class Silent:
    """Where yt-dlp's messages go; what matters comes as exceptions."""

    def debug(self, message: str) -> None: ...

    def info(self, message: str) -> None: ...

    def warning(self, message: str) -> None: ...

    def error(self, message: str) -> None: ...


class Watch:
    """yt-dlp's progress hook: passes progress on, and ends a download that is too large or too slow."""

    def __init__(self, limits: dict[str, Any], teller: Teller) -> None:
        self._limits = limits
        self._teller = teller
        self._since = time.monotonic()
        self._bytes_then = 0

    def __call__(self, state: dict[str, Any]) -> None:
        done, total = int(state.get("downloaded_bytes") or 0), int(state.get("total_bytes") or 0)
        if max(done, total) > self._limits["max_bytes"]:
            raise JobError("source_too_large")
        self._check_rate(done, finished=state.get("status") == "finished")
        self._teller.progress(done, total or None, "Downloading")

    def _check_rate(self, done: int, *, finished: bool) -> None:
        seconds = time.monotonic() - self._since
        if finished or seconds < self._limits["rate_window"]:
            return
        if done - self._bytes_then < self._limits["min_rate"] * seconds:
            raise JobError("timeout", "The media server sends too slowly. Restart the job later.")
        self._since, self._bytes_then = time.monotonic(), done


def knows(url: str) -> bool:
    """Whether yt-dlp has an extractor made for this site."""
    return any(kind.IE_NAME != "generic" and kind.suitable(url) for kind in gen_extractor_classes())


def fetch(url: str, path: Path, limits: dict[str, Any], teller: Teller) -> dict[str, Any]:
    """Find the one recording behind `url` and download it to `path`. Every failure is a JobError."""
    teller.progress(0, None, "Looking for the recording on the page", now=True)
    try:
        with yt_dlp.YoutubeDL(_options(limits)) as ydl:
            info = _single(ydl, url)
            _check(info, limits)
            ydl.add_progress_hook(Watch(limits, teller))
            complete, _ = ydl.dl(str(path), info)
    except (YoutubeDLError, ContentTooShortError) as error:
        raise translated(error) from error
    if not complete or not path.exists() or not path.stat().st_size:
        raise JobError("source_unreachable", retry=True)
    return _about(info, path, teller)


def _options(limits: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": "ba/b[height<=?480]/b",
        "logger": Silent(),
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "noplaylist": True,
        "playlist_items": "1:2",
        "cachedir": False,
        "proxy": "",
        "geo_bypass": False,
        "js_runtimes": {},
        "hls_prefer_native": True,
        "skip_unavailable_fragments": False,
        "nopart": True,
        "overwrites": True,
        "updatetime": False,
        "fixup": "never",
        "retries": 2,
        "fragment_retries": 2,
        "extractor_retries": 1,
        "file_access_retries": 0,
        "socket_timeout": limits["connect_timeout"] * 2,
    }


def _single(ydl: Any, url: str) -> dict[str, Any]:
    """The one recording that is meant, all its details looked up."""
    found = ydl.extract_info(url, download=False, process=False)
    for _ in range(3):
        if found is None:
            raise JobError("source_type_not_supported", "No recording was found on this page.")
        if found.get("_type") in ("playlist", "multi_video"):
            entries = [entry for entry in itertools.islice(found.get("entries") or (), 2) if entry]
            if not entries:
                raise JobError("source_type_not_supported", "No recording was found on this page.")
            if len(entries) > 1:
                raise JobError(
                    "source_type_not_supported",
                    "There are several recordings at this address. Submit the address of each one by itself.",
                )
            found = entries[0]
        if found.get("requested_downloads") or found.get("format_id"):
            return dict(found)
        found = ydl.process_ie_result(found, download=False)
    if not found or found.get("_type", "video") != "video":
        raise JobError("source_type_not_supported", "No recording was found on this page.")
    return dict(found)


def _check(info: dict[str, Any], limits: dict[str, Any]) -> None:
    if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
        raise JobError(
            "source_type_not_supported", "This is a live broadcast. Submit it again when it is over and recorded."
        )
    if info.get("protocol") not in _PROTOCOLS or info.get("requested_formats"):
        raise JobError("source_type_not_supported")
    if info.get("has_drm"):
        raise JobError("source_blocked", "The recording is copy-protected.")
    if (info.get("duration") or 0) > limits["max_seconds"]:
        raise JobError("source_too_long")
    if (info.get("filesize") or 0) > limits["max_bytes"]:
        raise JobError("source_too_large")


def _about(info: dict[str, Any], path: Path, teller: Teller) -> dict[str, Any]:
    extension = str(info.get("ext") or "")
    title = _title(info)
    with path.open("rb") as file:
        head = file.read(sniffing.HEAD_BYTES)
    if sniffing.is_page(head) or sniffing.is_list(head):
        raise JobError("source_type_not_supported")
    mime = sniffing.media_type(head) or mimetypes.guess_type(f"x.{extension}")[0] or "application/octet-stream"
    return {
        "title": title,
        "description": str(info.get("description") or "")[:_MAX_DESCRIPTION],
        "duration_seconds": float(info["duration"]) if info.get("duration") else None,
        "mime": mime,
        "size_bytes": path.stat().st_size,
        "sha256": _hash(path, teller),
        "filename": safe_name(f"{title.replace('/', '_')}.{extension}".rstrip(".")),
        "extractor": str(info.get("extractor_key") or info.get("extractor") or ""),
    }


def _title(info: dict[str, Any]) -> str:
    title = " ".join(str(info.get("title") or "").split())[:_MAX_TITLE]
    if info.get("extractor_key") == "HTML5MediaEmbed":  # it numbers the players of a page, of which there is one
        return title.removesuffix(" (1)")
    return title


def _hash(path: Path, teller: Teller) -> str:
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_HASH_BYTES):
            digest.update(block)
            done += len(block)
            teller.progress(done, size, "Checking the download")
    return digest.hexdigest()


def translated(error: BaseException) -> JobError:
    """The failure code for what yt-dlp raised, from the innermost cause that tells."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, JobError):
            return cause
        if isinstance(cause, OSError) and cause.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT):
            return disk_error(cause)
        if isinstance(cause, HTTPError):
            return _status_error(cause.status)
        if isinstance(cause, GeoRestrictedError):
            return JobError("source_blocked", "The site does not show this recording in the server's country.")
        if isinstance(cause, UnsupportedError | UserNotLive):
            return JobError("source_type_not_supported", "No recording was found on this page.")
    if any(isinstance(cause, TransportError | ContentTooShortError) for cause in causes):
        return JobError("source_unreachable", retry=True)
    said = " ".join(str(cause) for cause in causes).lower()
    code = next((code for pattern, code in _SAYINGS if re.search(pattern, said)), "source_type_not_supported")
    return JobError(code, retry=code == "source_unreachable")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    queue: list[Any] = [error]
    while queue:
        current = queue.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        exc_info = getattr(current, "exc_info", None)
        queue += [
            getattr(current, "cause", None),
            exc_info[1] if exc_info else None,
            current.__cause__,
            current.__context__,
        ]


def _status_error(status: int) -> JobError:
    try:
        check_status(status)
    except JobError as error:
        return error
    return JobError("source_unreachable", retry=True)
