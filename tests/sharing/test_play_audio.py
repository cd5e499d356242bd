"""The recording behind a link: only where it is allowed, in parts as players ask for them, and never as a page."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.test import Client

from sharing.models import Share
from tests.sharing.conftest import MEDIA, body, page, path_of, shared
from whisper_jobs import playback
from whisper_jobs.models import Job


@pytest.fixture
def audible(talk: Job, recording: bytes) -> Share:
    return shared(talk, allow_audio=True)


def get(client: Client, share: Share, **headers: str) -> Any:
    return client.get(path_of(share, "/audio"), headers=headers)


def test_the_whole_recording(visitor: Client, audible: Share, recording: bytes) -> None:
    assert f'src="{path_of(audible, "/audio")}"' in page(visitor, audible)
    answer = get(visitor, audible)
    assert (answer.status_code, body(answer)) == (200, recording)
    assert answer["Content-Type"] == "audio/mpeg"
    assert answer["Content-Length"] == str(len(recording))
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Disposition"] == "inline"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-store"


PARTS = {
    "bytes=0-": (0, 10240),
    "bytes=0-0": (0, 1),
    "bytes=100-199": (100, 200),
    "bytes=10000-99999999": (10000, 10240),
    "bytes=-10": (10230, 10240),
    "bytes=-99999": (0, 10240),
    "bytes= 5 - 6 ": (5, 7),
}


def test_a_part_of_it(visitor: Client, audible: Share, recording: bytes) -> None:
    for asked, (start, end) in PARTS.items():
        answer = get(visitor, audible, Range=asked)
        assert (answer.status_code, body(answer)) == (206, recording[start:end]), asked
        assert answer["Content-Range"] == f"bytes {start}-{end - 1}/10240"
        assert answer["Content-Length"] == str(end - start)


def test_a_part_that_there_is_not(visitor: Client, audible: Share) -> None:
    for asked in ("bytes=10240-", "bytes=99999-100000", "bytes=-0", "bytes=999999999999999999-"):
        answer = get(visitor, audible, Range=asked)
        assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10240"), asked


def test_what_is_no_part_is_answered_with_the_whole(visitor: Client, audible: Share) -> None:
    for asked in ("", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=a-b", "é"):
        answer = get(visitor, audible, Range=asked)
        assert (answer.status_code, len(body(answer))) == (200, 10240), asked


def test_a_part_of_another_recording_is_not_mixed_in(visitor: Client, audible: Share) -> None:
    etag = get(visitor, audible)["ETag"]
    ranged = {"Range": "bytes=5-9"}
    assert get(visitor, audible, **ranged, **{"If-Range": etag}).status_code == 206
    for other in ('"other"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert get(visitor, audible, **ranged, **{"If-Range": other}).status_code == 200


def test_the_head_alone(visitor: Client, audible: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "pieces", None)  # nothing is read for it
    for asked, status, length in (("", 200, "10240"), ("bytes=1-2", 206, "2")):
        answer = visitor.head(path_of(audible, "/audio"), headers={"Range": asked})
        assert (answer.status_code, answer["Content-Length"], body(answer)) == (status, length, b"")
        assert answer["ETag"]


def test_long_recordings_are_read_in_pieces(visitor: Client, audible: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "PIECE_BYTES", 1000)
    answer = get(visitor, audible, Range="bytes=500-3499")
    assert [len(piece) for piece in _pieces(answer)] == [1000, 1000, 1000]


def _pieces(answer: Any) -> list[bytes]:
    async def collected() -> list[bytes]:
        return [piece async for piece in answer.streaming_content]

    return async_to_sync(collected)()


def test_it_is_not_there_unless_the_owner_allows_it(visitor: Client, talk: Job, recording: bytes) -> None:
    share = shared(talk)
    assert "<audio" not in page(visitor, share)
    assert get(visitor, share).status_code == 404
    shared(talk, allow_audio=True)
    assert get(visitor, share).status_code == 200
    shared(talk, allow_audio=False)
    assert get(visitor, share).status_code == 404


PLAYED = [
    ("audio/mpeg", "x.html", "audio/mpeg"),
    ("Audio/X-WAV; codecs=1", "", "audio/wav"),
    ("video/mp4", "", "video/mp4"),
    ("application/octet-stream", "talk.m4a", "audio/mp4"),
    ("", "talk.opus", "audio/ogg"),
    ("text/html", "talk.mp3", "audio/mpeg"),
]
NOT_PLAYED = [
    ("text/html", "x.html"),
    ("image/svg+xml", "x.svg"),
    ("application/xml", ""),
    ("audio/x-evil", ""),
    ("", ""),
]


def test_it_is_played_as_one_of_the_known_kinds(visitor: Client, audible: Share) -> None:
    for mime, filename, kind in PLAYED:
        Job.objects.update(source_mime=mime, source_filename=filename)
        assert get(visitor, audible)["Content-Type"] == kind


def test_anything_else_is_never_sent(visitor: Client, audible: Share) -> None:
    for mime, filename in NOT_PLAYED:
        Job.objects.update(source_mime=mime, source_filename=filename)
        assert "<audio" not in page(visitor, audible)
        assert get(visitor, audible).status_code == 404, mime


def test_a_recording_that_is_gone_is_not_found(visitor: Client, audible: Share) -> None:
    default_storage.delete(MEDIA)
    assert get(visitor, audible).status_code == 404
