"""What yt-dlp raises → the failure code that a user gets, with the words that sites really use."""

from __future__ import annotations

import io

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import (
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
)

from whisper_jobs.media.extracting import translated


def http_error(status: int) -> HTTPError:
    return HTTPError(Response(io.BytesIO(b""), "http://example.com/", {}, status=status))


def wrapped(error: Exception) -> DownloadError:
    """As YoutubeDL hands it over."""
    return DownloadError(f"ERROR: {error}", (type(error), error, None))


SAYINGS = [
    ("Sign in to confirm your age. This video may be inappropriate for some users.", "source_age_restricted"),
    ("This video is age-restricted and only available on YouTube", "source_age_restricted"),
    ("Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser", "source_blocked"),
    ("Private video. Sign in if you've been granted access to this video", "source_blocked"),
    ("This video is only available for registered users. Use --cookies", "source_blocked"),
    ("This video is available to this channel's members on level: Fan", "source_blocked"),
    ("Join this channel to get access to members-only content like this video", "source_blocked"),
    ("The page is protected by Cloudflare anti-bot challenge", "source_blocked"),
    ("This video is protected by a password, use the --video-password option", "source_blocked"),
    ("Video unavailable. This video has been removed by the uploader", "source_not_found"),
    ("Video unavailable", "source_not_found"),
    ("This video does not exist", "source_not_found"),
    ("No video formats found!", "source_type_not_supported"),
    ("Requested format is not available", "source_type_not_supported"),
    ("Unable to extract title", "source_type_not_supported"),
]


@pytest.mark.parametrize(("said", "code"), SAYINGS)
def test_what_a_site_says_gets_its_code(said: str, code: str) -> None:
    assert translated(wrapped(ExtractorError(said, expected=True))).code == code


@pytest.mark.parametrize(
    ("error", "code", "retry"),
    [
        (GeoRestrictedError("not here", countries=["SE"]), "source_blocked", False),
        (UnsupportedError("http://example.com/"), "source_type_not_supported", False),
        (ExtractorError("Unable to download webpage", cause=http_error(404)), "source_not_found", False),
        (ExtractorError("Unable to download webpage", cause=http_error(403)), "source_blocked", False),
        (ExtractorError("Unable to download webpage", cause=http_error(503)), "source_unreachable", True),
        (ExtractorError("Unable to download webpage", cause=TransportError("timed out")), "source_unreachable", True),
        (OSError(28, "No space left on device"), "internal_error", True),
    ],
)
def test_the_cause_counts_for_more_than_the_words(error: Exception, code: str, retry: bool) -> None:
    told = translated(wrapped(error))
    assert (told.code, told.retry) == (code, retry)
