"""Everything that can be wrong with a recording, handed to a real server: a clear answer, and the workers live on."""

from __future__ import annotations

import contextlib
import io
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.media.recordings import Writer, recording, silent_flac, tone
from tests.outbound.site import Site, running
from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, ROOT, RunningServer

pytestmark = pytest.mark.acceptance

SAMPLE = next((ROOT / "static" / "sample").glob("two-voices.*[!t]"))
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n"
END_SECONDS = 120.0


class Caller:
    """A signed-in program that hands recordings in and waits for their end."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60, trust_env=False)
        told = self.http.post("/api/account/login", json={"email": ADMIN[0], "password": ADMIN[1]}).json()
        self.http.headers["Authorization"] = f"Bearer {told['access']}"

    def upload(self, content: bytes | Path, name: str = "recording.bin") -> httpx2.Response:
        file = content.open("rb") if isinstance(content, Path) else io.BytesIO(content)
        with contextlib.closing(file):
            return self.http.post("/api/whisper/jobs", files={"media_file": (name, file)})

    def link(self, url: str) -> httpx2.Response:
        return self.http.post("/api/whisper/jobs", json={"source_url": url})

    def end_of(self, answer: httpx2.Response) -> Any:
        """The job when it has ended; a refusal at the door is told as a job that failed with `refused`."""
        if answer.status_code == 422:
            assert answer.json()["errors"]
            return {"status": "failed", "failure_code": "refused", "failure_error": answer.json()["message"]}
        assert answer.status_code == 201, answer.text
        number, until = answer.json()["job"]["id"], time.monotonic() + END_SECONDS
        while time.monotonic() < until:
            job = self.http.get(f"/api/whisper/jobs/{number}").json()["job"]
            if job["status"] in ("completed", "failed"):
                return job
            time.sleep(0.1)
        raise AssertionError(f"job {number} did not end: {job['stage']}")


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    server = RunningServer(
        tmp_path_factory.mktemp("bad") / "data", TOOLS_OUTBOUND_ALLOW="127.0.0.1/32", TOOLS_UPLOAD_MAX_MB="20"
    )
    try:
        server.wait_ready()
        calling = Caller(server)
        yield calling
        calling.http.close()
    finally:
        server.end()


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as server:
        yield server


@pytest.fixture(autouse=True)
def _clean_and_alive(caller: Caller) -> Iterator[None]:
    """After each: no temporary file stays, no worker has died, and the queue is at rest."""
    workers = {name: caller.server.pid_of(name) for name in ("worker-fetch-1", "worker-speech-1", "worker-deliver")}
    assert all(workers.values())
    yield
    temporary = caller.server.folder / "tmp"
    wait_until(lambda: not list(temporary.iterdir()), "without temporary files", seconds=10)
    assert workers == {name: caller.server.pid_of(name) for name in workers}


def failed(job: Any, *codes: str) -> None:
    assert job["status"] == "failed", job["status"]
    assert job["failure_code"] in codes, (job["failure_code"], job["failure_error"])
    assert job["failure_error"].endswith("."), job["failure_error"]
    assert "root:" not in str(job)


def test_an_empty_file(caller: Caller) -> None:
    failed(caller.end_of(caller.upload(b"", "empty.wav")), "refused")


def test_text_that_calls_itself_mp3(caller: Caller) -> None:
    failed(caller.end_of(caller.upload(b"this is not audio " * 500, "text.mp3")), "source_type_not_supported")


def test_a_truncated_mp4(caller: Caller, tmp_path: Path) -> None:
    whole = recording(tmp_path / "a.mp4", "aac", seconds=4.0).read_bytes()
    failed(caller.end_of(caller.upload(whole[: len(whole) // 2], "cut.mp4")), "media_corrupt")


def test_a_video_without_sound(caller: Caller, tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with Writer(path) as video:
        video.picture(video.add_picture(), 1.0)
    failed(caller.end_of(caller.upload(path)), "no_audio_stream")


def test_ten_hours_of_silence(caller: Caller, tmp_path: Path) -> None:
    job = caller.end_of(caller.upload(silent_flac(tmp_path / "night.flac", 10 * 3600)))
    failed(job, "no_speech")
    assert job["source_duration_seconds"] == pytest.approx(36_000, abs=1)


def test_a_blink_of_sound(caller: Caller, tmp_path: Path) -> None:
    failed(caller.end_of(caller.upload(recording(tmp_path / "a.wav", "pcm_s16le", seconds=0.05))), "no_speech")


def test_eight_channels_at_192_khz(caller: Caller) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(8)
        sound.setsampwidth(2)
        sound.setframerate(192_000)
        sound.writeframes((tone(440, 1.0, 192_000) * 9000).astype("<i2").repeat(8).tobytes())
    failed(caller.end_of(caller.upload(out.getvalue(), "wide.wav")), "no_speech")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.m3u8", PLAYLIST % b"file:///etc/passwd"),
        ("clip.mp3", PLAYLIST % b"http://169.254.169.254/latest/meta-data/"),
        ("list.txt", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    ],
)
def test_a_playlist_that_points_elsewhere(caller: Caller, name: str, content: bytes) -> None:
    failed(caller.end_of(caller.upload(content, name)), "source_type_not_supported", "media_corrupt")


def test_a_playlist_asks_no_server(caller: Caller, site: Site) -> None:
    failed(caller.end_of(caller.upload(PLAYLIST % site.url("/secret").encode(), "a.m3u8")), "source_type_not_supported")
    assert site.seen == []


@pytest.mark.parametrize("url", ["http://10.0.0.1/a.mp3", "http://[::ffff:10.0.0.1]/a.mp3", "http://0x0a000001/"])
def test_a_private_address(caller: Caller, url: str) -> None:
    failed(caller.end_of(caller.link(url)), "refused")


def test_a_redirect_to_a_private_address(caller: Caller, site: Site) -> None:
    failed(caller.end_of(caller.link(site.redirect("/go", "http://10.0.0.1/a.mp3"))), "source_private_address")


def test_a_page_that_is_not_there(caller: Caller, site: Site) -> None:
    failed(caller.end_of(caller.link(site.url("/nothing.mp3"))), "source_not_found")


def test_a_body_over_the_limit(caller: Caller) -> None:
    answer = caller.upload(bytes(25 << 20), "large.wav")
    assert answer.status_code == 422
    assert "20 MB" in answer.json()["errors"]["media_file"][0]


def test_the_sample_is_transcribed_after_all_that(caller: Caller) -> None:
    job = caller.end_of(caller.upload(SAMPLE, SAMPLE.name))
    assert job["status"] == "completed", job["failure_error"]
    assert len(job["transcript_text"].split()) > 30
    assert list((caller.server.folder / "media").rglob("*.wav")) == [], "windows go when they are transcribed"
