"""Fetching from real servers on loopback: files, pages and traps."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media.children import media_children
from tests.media.recordings import recording, wav_bytes
from tests.outbound.site import Site, Visit
from whisper_jobs.errors import JobError
from whisper_jobs.media.fetching import Fetched, FetchLimits, FetchProgress, fetch

pytestmark = pytest.mark.serve

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
WAV = wav_bytes(5)
PAGE = "<html><head><title>My talk</title>{head}</head><body>{body}</body></html>"
MANIFEST = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{segment}\n#EXT-X-ENDLIST\n"


def get(url: str, folder: Path, limits: FetchLimits | None = None, **hooks: Callable[..., object]) -> Fetched:
    return fetch(url, folder / "media.bin", limits=limits, allow=LOOPBACK, **hooks)  # type: ignore[arg-type]


def failure(url: str, folder: Path, limits: FetchLimits | None = None, **hooks: Callable[..., object]) -> JobError:
    """The error, once it is certain that nothing is left behind."""
    with pytest.raises(JobError) as caught:
        get(url, folder, limits, **hooks)
    assert list(folder.iterdir()) == []
    return caught.value


def page(site: Site, path: str, *, head: str = "", body: str = "") -> str:
    return site.serve(path, PAGE.format(head=head, body=body).encode(), "text/html; charset=utf-8")


def serve_large(site: Site, *, told: bool) -> None:
    """Five megabytes at /a.wav, whose size the server tells or not."""

    def large(visit: Visit) -> None:
        if told:
            visit.begin(Content_Type="audio/wav", Content_Length="5000000")
        else:
            visit.begin(Content_Type="audio/wav")
        visit.wfile.write(WAV + bytes(5_000_000 - len(WAV)))

    site.pages["/a.wav"] = large


def test_a_direct_file_arrives_with_its_facts(site: Site, tmp_path: Path) -> None:
    heard: list[FetchProgress] = []
    fetched = get(site.serve("/talks/My%20talk.wav", WAV), tmp_path, on_progress=heard.append)
    assert fetched == Fetched(
        title="My talk",
        description="",
        duration_seconds=None,
        mime="audio/wav",
        size_bytes=len(WAV),
        sha256=hashlib.sha256(WAV).hexdigest(),
        filename="My talk.wav",
        extractor="direct",
    )
    assert (tmp_path / "media.bin").read_bytes() == WAV
    assert os.listdir(tmp_path) == ["media.bin"]
    assert site.seen == ["/talks/My%20talk.wav"]
    assert heard[0].detail == "Opening the address"


def test_an_address_without_an_extension_may_be_a_file(site: Site, tmp_path: Path) -> None:
    fetched = get(site.serve("/download", WAV, "application/octet-stream") + "?id=7", tmp_path)
    assert (fetched.mime, fetched.filename) == ("audio/wav", "download")


@pytest.mark.parametrize(
    "markup",
    [
        '<video src="/a.wav"></video>',
        '<audio controls src="{site}/a.wav"></audio>',
        '<audio><source src="/a.wav" type="audio/wav"></audio>',
    ],
)
def test_a_page_with_a_player_gives_its_recording(site: Site, tmp_path: Path, markup: str) -> None:
    site.serve("/a.wav", WAV)
    fetched = get(page(site, "/talk", body=markup.format(site=site.url("").rstrip("/"))), tmp_path)
    assert (fetched.title, fetched.mime, fetched.size_bytes) == ("My talk", "audio/wav", len(WAV))
    assert (tmp_path / "media.bin").read_bytes() == WAV


def test_a_page_that_names_its_video_for_sharing_gives_it(site: Site, tmp_path: Path) -> None:
    head = f'<meta property="og:video" content="{site.serve("/a.wav", WAV)}">'
    head += '<meta property="og:description" content="On tea">'
    fetched = get(page(site, "/talk", head=head), tmp_path)
    assert (fetched.title, fetched.description, fetched.extractor) == ("My talk", "On tea", "Generic")
    assert fetched.sha256 == hashlib.sha256(WAV).hexdigest()


def test_a_recording_in_segments_is_put_together(site: Site, tmp_path: Path) -> None:
    segment = recording(tmp_path / "a.ts", "aac", container="mpegts").read_bytes()
    (tmp_path / "a.ts").unlink()
    site.serve("/a.ts", segment, "video/mp2t")
    manifest = MANIFEST.format(segment="/a.ts").encode()
    fetched = get(site.serve("/talk.m3u8", manifest, "application/vnd.apple.mpegurl"), tmp_path)
    assert (fetched.duration_seconds, fetched.size_bytes, fetched.mime) == (5.0, len(segment), "video/mp2t")


@pytest.mark.parametrize(
    ("kind", "segment"),
    [
        ("application/vnd.apple.mpegurl", "file:///etc/passwd"),
        ("audio/wav", "file:///etc/passwd"),
        ("audio/mpegurl", "http://127.0.0.2:{port}/secret"),
        ("text/plain", "http://0x7f000002:{port}/"),
    ],
)
def test_a_manifest_that_points_inside_is_refused(
    site: Site, inner: Site, tmp_path: Path, kind: str, segment: str
) -> None:
    manifest = MANIFEST.format(segment=segment.format(port=inner.server_port)).encode()
    assert failure(site.serve("/a.m3u8", manifest, kind), tmp_path).code == "source_private_address"
    assert inner.seen == []


def test_a_page_whose_recording_lies_inside_is_refused(site: Site, inner: Site, tmp_path: Path) -> None:
    inner.serve("/a.wav", WAV)
    url = page(site, "/talk", body=f'<audio src="{inner.url("/a.wav")}"></audio>')
    assert failure(url, tmp_path).code == "source_private_address"
    assert inner.seen == []


@pytest.mark.parametrize("path", ["/a.wav", "/talk"])
def test_a_redirect_inside_is_refused(site: Site, inner: Site, tmp_path: Path, path: str) -> None:
    inner.serve("/a.wav", WAV)
    assert failure(site.redirect(path, inner.url("/a.wav")), tmp_path).code == "source_private_address"
    assert inner.seen == []


def test_a_page_whose_recording_redirects_inside_is_refused(site: Site, inner: Site, tmp_path: Path) -> None:
    inner.serve("/a.wav", WAV)
    site.redirect("/a.wav", inner.url("/a.wav"))
    assert failure(page(site, "/talk", body='<audio src="/a.wav"></audio>'), tmp_path).code == "source_private_address"
    assert inner.seen == []


def test_a_private_address_is_refused(tmp_path: Path) -> None:
    assert failure("http://10.0.0.1/a.wav", tmp_path).code == "source_private_address"


def test_other_schemes_are_refused(tmp_path: Path) -> None:
    assert failure("file:///etc/passwd", tmp_path).code == "source_type_not_supported"


def test_an_address_that_looks_like_an_option_is_only_an_address(tmp_path: Path) -> None:
    assert failure("--exec=touch /tmp/pwned", tmp_path).code == "source_type_not_supported"


def test_nothing_at_the_address(site: Site, tmp_path: Path) -> None:
    assert failure(site.url("/gone.mp3"), tmp_path).code == "source_not_found"
    assert failure(site.url("/gone"), tmp_path).code == "source_not_found"


def test_a_page_whose_recording_is_gone(site: Site, tmp_path: Path) -> None:
    assert failure(page(site, "/talk", body='<audio src="/gone.mp3"></audio>'), tmp_path).code == "source_not_found"


def test_a_page_that_asks_for_a_sign_in_is_blocked(site: Site, tmp_path: Path) -> None:
    site.pages["/talk"] = lambda visit: visit.answer(b"sign in", status=403, kind="text/html")
    assert failure(site.url("/talk"), tmp_path).code == "source_blocked"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"a": 1}', "application/json"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"hello", "text/plain"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "audio/mpeg"),
        (b"[playlist]\nFile1=file:///etc/passwd\n", "audio/x-scpls"),
        (PAGE.format(head="", body="no player").encode(), "text/html"),
    ],
)
def test_what_is_no_recording_is_refused(site: Site, tmp_path: Path, body: bytes, kind: str) -> None:
    assert failure(site.serve("/a.mp3", body, kind), tmp_path).code == "source_type_not_supported"


def test_a_page_with_several_recordings_is_refused(site: Site, tmp_path: Path) -> None:
    site.serve("/a.wav", WAV)
    url = page(site, "/talks", body='<audio src="/a.wav"></audio><audio src="/b.wav"></audio>')
    error = failure(url, tmp_path)
    assert (error.code, "several" in error.message) == ("source_type_not_supported", True)


def test_an_empty_file_is_refused(site: Site, tmp_path: Path) -> None:
    assert failure(site.serve("/a.wav", b""), tmp_path).code == "media_corrupt"


@pytest.mark.parametrize("told", [True, False])
def test_a_file_over_the_limit_is_refused(site: Site, tmp_path: Path, told: bool) -> None:
    serve_large(site, told=told)
    assert failure(site.url("/a.wav"), tmp_path, FetchLimits(max_bytes=1_000_000)).code == "source_too_large"


@pytest.mark.parametrize("told", [True, False])
def test_a_file_over_the_limit_behind_a_page_is_refused(site: Site, tmp_path: Path, told: bool) -> None:
    serve_large(site, told=told)
    url = page(site, "/talk", body='<audio src="/a.wav"></audio>')
    assert failure(url, tmp_path, FetchLimits(max_bytes=1_000_000)).code == "source_too_large"


def test_a_recording_over_the_limit_is_refused_before_it_is_fetched(site: Site, tmp_path: Path) -> None:
    site.serve("/a.ts", b"G" * 188, "video/mp2t")
    url = site.serve("/a.m3u8", MANIFEST.format(segment="/a.ts").encode(), "application/vnd.apple.mpegurl")
    assert failure(url, tmp_path, FetchLimits(max_seconds=4)).code == "source_too_long"
    assert "/a.ts" not in site.seen


@pytest.mark.parametrize("path", ["/a.wav", "/talk"])
def test_a_server_that_sends_byte_by_byte_is_given_up(site: Site, tmp_path: Path, path: str) -> None:
    def slow(visit: Visit) -> None:
        visit.begin(Content_Type="audio/wav", Content_Length=str(len(WAV)))
        visit.drip(WAV, seconds=0.1)

    site.pages["/a.wav"] = slow
    page(site, "/talk", body='<audio src="/a.wav"></audio>')
    before = time.monotonic()
    assert failure(site.url(path), tmp_path, FetchLimits(rate_window=1, stall_seconds=1.5)).code == "timeout"
    assert time.monotonic() - before < 8


def test_the_total_time_is_kept(site: Site, tmp_path: Path) -> None:
    def slow(visit: Visit) -> None:
        visit.begin(Content_Type="audio/wav", Content_Length=str(len(WAV)))
        visit.drip(WAV, seconds=0.05)

    site.pages["/a.wav"] = slow
    before = time.monotonic()
    assert failure(site.url("/a.wav"), tmp_path, FetchLimits(total_timeout=1, min_rate=0)).code == "timeout"
    assert time.monotonic() - before < 5


def test_a_broken_connection_is_resumed(site: Site, tmp_path: Path) -> None:
    def broken_once(visit: Visit) -> None:
        if "Range" in visit.headers:
            visit.answer_part(WAV)
            return
        visit.begin(Content_Type="audio/wav", Content_Length=str(len(WAV)), Accept_Ranges="bytes")
        visit.wfile.write(WAV[:100_000])
        visit.reset()

    site.pages["/a.wav"] = broken_once
    assert get(site.url("/a.wav"), tmp_path).sha256 == hashlib.sha256(WAV).hexdigest()
    assert (tmp_path / "media.bin").read_bytes() == WAV
    assert len(site.seen) == 2


def test_a_connection_that_always_breaks_is_a_failure_to_retry(site: Site, tmp_path: Path) -> None:
    def broken(visit: Visit) -> None:
        visit.begin(Content_Type="audio/wav", Content_Length=str(len(WAV)))
        visit.wfile.write(WAV[:10_000])
        visit.reset()

    site.pages["/a.wav"] = broken
    error = failure(site.url("/a.wav"), tmp_path)
    assert (error.code, error.retry) == ("source_unreachable", True)


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\boot.wav"', "boot.wav"),
        ("attachment; filename*=UTF-8''..%2F..%2Fr%C3%A4v.wav", "räv.wav"),
        ('attachment; filename="/"', "recording"),
        ('attachment; filename=".."', "recording"),
        ('attachment; filename=".hidden.wav"', "hidden.wav"),
        ('attachment; filename="' + "x" * 400 + '.wav"', "x" * 146 + ".wav"),
    ],
)
def test_a_file_name_leads_nowhere(site: Site, tmp_path: Path, disposition: str, expected: str) -> None:
    fetched = get(site.serve("/a.wav", WAV, Content_Disposition=disposition), tmp_path)
    assert fetched.filename == expected
    assert os.listdir(tmp_path) == ["media.bin"]


def test_a_stop_is_seen_while_bytes_flow(site: Site, tmp_path: Path) -> None:
    def endless(visit: Visit) -> None:
        visit.begin(Content_Type="audio/wav")
        visit.wfile.write(WAV)
        while not visit.server.closing.wait(0.01):
            visit.wfile.write(bytes(65536))

    site.pages["/a.wav"] = endless
    heard: list[FetchProgress] = []
    before = time.monotonic()
    error = failure(
        site.url("/a.wav"),
        tmp_path,
        on_progress=heard.append,
        should_stop=lambda: any(progress.bytes_done > len(WAV) for progress in heard),
    )
    assert error.code == "cancelled"
    assert time.monotonic() - before < 5


def test_a_child_that_dies_is_a_failure_to_retry(site: Site, tmp_path: Path) -> None:
    waiting = threading.Event()

    def silent(visit: Visit) -> None:
        waiting.set()
        visit.server.closing.wait(20)

    def kill() -> None:
        waiting.wait(10)
        for child in media_children():
            os.kill(child, signal.SIGKILL)

    site.pages["/a.wav"] = silent
    killer = threading.Thread(target=kill)
    killer.start()
    error = failure(site.url("/a.wav"), tmp_path)
    killer.join()
    assert (error.code, error.retry) == ("internal_error", True)


def test_the_child_dies_with_its_parent(site: Site, tmp_path: Path) -> None:
    waiting = threading.Event()

    def silent(visit: Visit) -> None:
        waiting.set()
        visit.server.closing.wait(20)

    site.pages["/a.wav"] = silent
    code = (
        "import ipaddress, sys; from pathlib import Path; from whisper_jobs.media.fetching import fetch\n"
        "fetch(sys.argv[1], Path(sys.argv[2]) / 'x', allow=(ipaddress.ip_network('127.0.0.1/32'),))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, site.url("/a.wav"), str(tmp_path)], cwd=ROOT)
    assert waiting.wait(20)
    (child,) = media_children(parent.pid)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split(")")[1]:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.02)


def test_what_a_page_tells_can_be_stored_and_shown_anywhere(site: Site, tmp_path: Path) -> None:
    site.serve("/talk.wav", wav_bytes())
    told = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": "half \ud800 nul \0 bell \7 turned \u202e",
        "description": "more \udfff\0",
        "contentUrl": site.url("/talk.wav"),
    }
    markup = f'<!doctype html><html><title>x</title><script type="application/ld+json">{json.dumps(told)}</script>'
    fetched = fetch(site.serve("/page", markup.encode(), "text/html"), tmp_path / "media", allow=LOOPBACK)
    for text in (fetched.title, fetched.description, fetched.filename):
        assert not set(text) & set("\0\7\u202e")
        assert text.encode()
    assert fetched.title.startswith("half")


@pytest.mark.parametrize("digits", [30, 6000])
def test_a_size_beyond_all_measure_is_not_believed(site: Site, tmp_path: Path, digits: int) -> None:
    site.pages["/a.wav"] = lambda visit: _told_size(visit, "9" * digits)
    with pytest.raises(JobError) as caught:
        fetch(site.url("/a.wav"), tmp_path / "media", allow=LOOPBACK)
    assert caught.value.code in ("source_unreachable", "source_too_large")


def _told_size(visit: Visit, size: str) -> None:
    visit.begin(200, Content_Type="audio/wav", Content_Length=size)
    visit.wfile.write(wav_bytes())
