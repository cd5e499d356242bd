"""Files that are broken, pretend, or mean harm: each ends in its own error, and nothing else is touched."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.media.children import media_children
from tests.media.measuring import measured
from tests.media.recordings import RATE, Writer, pitch, recording, silent_flac
from tests.outbound.site import Site
from whisper_jobs.errors import JobError
from whisper_jobs.media.decoding import DecodeLimits, decode

pytestmark = pytest.mark.serve


def failure(path: Path, limits: DecodeLimits | None = None) -> JobError:
    with pytest.raises(JobError) as caught:
        seconds_of(path, limits)
    assert media_children() == []
    return caught.value


def seconds_of(path: Path, limits: DecodeLimits | None = None) -> tuple[float, tuple[str, ...]]:
    with decode(path, limits=limits) as decoding:
        samples = sum(len(chunk) for chunk in decoding)
        return samples / RATE, decoding.warnings


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "media_corrupt"),
        (b"This is a shopping list.\nMilk\nBread\n" * 100, "source_type_not_supported"),
        (bytes(50_000), "source_type_not_supported"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5000), "source_type_not_supported"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(5000), "source_type_not_supported"),
        (b"GIF89a" + bytes(5000), "source_type_not_supported"),
        (b"%PDF-1.7\n" + bytes(5000), "source_type_not_supported"),
        (b"PK\x03\x04" + bytes(5000), "source_type_not_supported"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 50, "source_type_not_supported"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "source_type_not_supported"),
        (b"<html><body>not found</body></html>", "source_type_not_supported"),
        (b"RIFF", "source_type_not_supported"),
        (b"RIFF\x00\x00\x01\x00WAVE", "media_corrupt"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(100), "media_corrupt"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(5000), "media_corrupt"),
        (b"OggS" + bytes(500), "media_corrupt"),
        (b"fLaC" + bytes(500), "media_corrupt"),
        (b"\x1a\x45\xdf\xa3" + bytes(500), "media_corrupt"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
def test_what_is_no_recording_gets_its_own_error(tmp_path: Path, content: bytes, code: str) -> None:
    assert failure(written(tmp_path / "a.mp3", content)).code == code


def test_a_video_without_sound(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.mp4") as file:
        moving = file.add_picture()
        file.picture(moving, 1.0)
        file.finish(moving)
    assert failure(tmp_path / "a.mp4").code == "no_audio_stream"


def test_an_mp4_that_lost_its_index(tmp_path: Path) -> None:
    whole = recording(tmp_path / "a.mp4", "aac", rate=44_100, seconds=10.0).read_bytes()
    assert whole.index(b"mdat") < whole.index(b"moov")
    assert failure(written(tmp_path / "b.mp4", whole[: len(whole) // 2])).code == "media_corrupt"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mkv", "libopus"), ("a.avi", "pcm_s16le")]
)
def test_what_comes_before_the_break_is_kept_and_the_loss_is_told(tmp_path: Path, name: str, codec: str) -> None:
    whole = recording(tmp_path / name, codec, rate=48_000, seconds=20.0).read_bytes()
    seconds, warnings = seconds_of(written(tmp_path / ("cut-" + name), whole[: len(whole) // 2]))
    assert seconds == pytest.approx(10, abs=1.5)
    assert any("incomplete" in warning for warning in warnings)


def test_a_hole_in_the_middle_keeps_what_follows_in_its_place(tmp_path: Path) -> None:
    whole = bytearray(recording(tmp_path / "a.flac", "flac", rate=48_000, seconds=20.0).read_bytes())
    third = len(whole) // 3
    whole[third : third + len(whole) // 10] = os.urandom(len(whole) // 10)
    with decode(written(tmp_path / "b.flac", bytes(whole))) as decoding:
        samples = np.concatenate(list(decoding))
    assert len(samples) / RATE == pytest.approx(20, abs=1)
    assert pitch(samples[-5 * RATE :]) == pytest.approx(440, abs=2)
    assert decoding.warnings


class Canary:
    """A file that nobody may open: a FIFO, whose opening for reading is seen at its other end."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path

    def was_opened(self) -> bool:
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    return Canary(tmp_path / "secret.wav")


@pytest.fixture
def watched(canary: Canary) -> Iterator[Canary]:
    """Looks all the time, so that an opening that was given up is seen too."""
    seen = threading.Event()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.001):
            if canary.was_opened():
                seen.set()

    watcher = threading.Thread(target=look)
    watcher.start()
    yield canary
    done.set()
    watcher.join()
    assert not seen.is_set(), "the file was opened"


def test_the_canary_sings(canary: Canary) -> None:
    reader = os.open(canary.path, os.O_RDONLY | os.O_NONBLOCK)
    assert canary.was_opened()
    os.close(reader)
    assert not canary.was_opened()


LISTS = {
    "ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "unsafe ffconcat": "ffconcat version 1.0\nfile 'file:{target}'\nduration 5\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
    "m3u8 with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n',
    "m3u8 with a map": '#EXTM3U\n#EXT-X-MAP:URI="{target}"\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n',
    "m3u8 with concat": "#EXTM3U\n#EXTINF:5,\nconcat:{target}|{target}\n#EXT-X-ENDLIST\n",
    "m3u": "{target}\n",
    "pls": "[playlist]\nFile1={target}\nNumberOfEntries=1\n",
    "asx": '<ASX VERSION="3.0"><ENTRY><REF HREF="{target}"/></ENTRY></ASX>',
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT5S">'
    '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL>'
    "<SegmentBase/></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "smil": '<smil><body><audio src="{target}"/></body></smil>',
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("where", ["file", "web"])
def test_a_list_is_refused_and_nothing_that_it_names_is_read(
    tmp_path: Path, watched: Canary, site: Site, kind: str, where: str
) -> None:
    target = str(watched.path) if where == "file" else site.url("/secret.wav")
    path = written(tmp_path / "a.mp3", LISTS[kind].format(target=target).encode())
    assert failure(path).code == "source_type_not_supported"
    assert site.seen == []


DEMUX = """
import os, sys
from whisper_jobs.errors import JobError
from whisper_jobs.media import decode_child, demuxing
class Nowhere:
    send = send_json = lambda *frame: None
try:
    demuxing.decode(decode_child.Original(os.open("list", os.O_RDONLY)), Nowhere(), 60.0)
except JobError as error:
    print(error.code)
"""


@pytest.mark.parametrize("line", ["file secret.wav", "file secret.wav\nduration 5", "file 'secret.wav'\ninpoint 0"])
def test_the_demuxer_alone_opens_no_list_either(tmp_path: Path, watched: Canary, line: str) -> None:
    """Without the other walls (a look at the first bytes, no descriptors to open with) the format list still holds."""
    written(tmp_path / "list", f"ffconcat version 1.0\n{line}\n".encode())
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", DEMUX]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "source_type_not_supported", done.stderr


def boxed(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def with_reference(boxes: bytes, reference: bytes) -> bytes:
    """The same QuickTime boxes, with `reference` as the place where the samples lie."""
    told = b""
    while boxes:
        size, kind = struct.unpack(">I4s", boxes[:8])
        body, boxes = boxes[8:size], boxes[size:]
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            body = with_reference(body, reference)
        told += boxed(kind, bytes(4) + struct.pack(">I", 1) + reference if kind == b"dref" else body)
    return told


def alias_to(path: Path) -> bytes:
    """A Macintosh alias record, as old editors wrote them for media kept in a file of its own."""
    name = str(path).encode()
    fixed = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + bytes(4) + bytes(16)
    absolute = struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2)
    return boxed(b"alis", bytes(4) + fixed + absolute + b"\xff\xff\x00\x00")


def test_a_quicktime_file_whose_samples_lie_in_another_file_reads_nothing_of_it(
    tmp_path: Path, watched: Canary
) -> None:
    whole = recording(tmp_path / "a.mov", "pcm_s16le", rate=16_000).read_bytes()
    with contextlib.suppress(JobError):
        seconds_of(written(tmp_path / "b.mov", with_reference(whole, alias_to(watched.path))))


@pytest.mark.parametrize("form", ["flac", "wav"])
def test_a_bomb_ends_at_the_limit_of_length(tmp_path: Path, form: str) -> None:
    """Sixty kilobytes that hold ten hours; the header says one second, or nothing."""
    path = silent_flac(tmp_path / "a.flac", 36_000)
    content = bytearray(path.read_bytes())
    content[21:26] = (int.from_bytes(content[21:26], "big") & ~0xFFFFFFFFF | (8000 if form == "wav" else 0)).to_bytes(
        5, "big"
    )
    before = time.monotonic()
    assert failure(written(path, bytes(content)), DecodeLimits(max_seconds=60)).code == "source_too_long"
    assert time.monotonic() - before < 2


def test_a_file_that_says_it_is_too_long_is_not_decoded(tmp_path: Path) -> None:
    path = silent_flac(tmp_path / "a.flac", 36_000)
    with pytest.raises(JobError) as caught, decode(path, limits=DecodeLimits(max_seconds=60)):
        pytest.fail("decoding began")
    assert caught.value.code == "source_too_long"


def test_a_clock_that_leaps_does_not_make_years_of_silence(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.mkv") as file:
        track = file.add_track("flac", rate=16_000)
        file.sound(track, np.zeros(16_000, np.float32))
        file.sound(track, np.zeros(16_000, np.float32), start=500_000.0)
        file.finish(track)
    error = failure(tmp_path / "a.mkv", DecodeLimits(max_seconds=3600))
    assert error.code == "source_too_long"


def test_the_time_of_the_processor_is_limited(tmp_path: Path) -> None:
    path = silent_flac(tmp_path / "a.flac", 36_000)
    assert failure(path, DecodeLimits(cpu_seconds=1)).code == "timeout"


@pytest.mark.parametrize(("limit", "kept"), [(1 << 30, False), (200 << 20, True)])
def test_memory_is_limited(tmp_path: Path, limit: int, kept: bool) -> None:
    """A song with a cover of 200 MB: with room for it the child loads it, else it does without."""
    size = 200 << 20
    song = recording(tmp_path / "a.mp3", "libmp3lame").read_bytes()
    with (tmp_path / "b.mp3").open("wb") as file:
        file.write(
            b"ID3\x04\x00\x00" + syncsafe(size + 10) + b"APIC" + syncsafe(size) + bytes(2) + b"\0image/png\0\3\0"
        )
        file.seek(size + 20)
        file.write(song)
    samples, _, child_kib = measured(tmp_path / "b.mp3", memory_bytes=limit)
    assert samples / RATE == pytest.approx(2.0, abs=0.1)
    assert (child_kib < 100 << 10) == kept


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def child_pid() -> int:
    (pid,) = media_children()
    return pid


@pytest.mark.parametrize(("sent", "retry"), [(signal.SIGKILL, True), (signal.SIGSEGV, False), (signal.SIGABRT, False)])
def test_a_child_that_dies_in_the_middle_is_an_error_of_the_job(
    tmp_path: Path, sent: signal.Signals, retry: bool
) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=120.0)
    with decode(path) as decoding:
        chunks = iter(decoding)
        next(chunks)
        os.kill(child_pid(), sent)
        with pytest.raises(JobError) as caught:
            list(chunks)
    assert (caught.value.code, caught.value.retry) == ("media_corrupt", retry)


def test_a_child_that_stalls_is_given_up(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=120.0)
    seconds_of(path)
    with decode(path, limits=DecodeLimits(stall_seconds=0.5)) as decoding:
        chunks = iter(decoding)
        next(chunks)
        os.kill(child_pid(), signal.SIGSTOP)
        with pytest.raises(JobError) as caught:
            list(chunks)
    assert caught.value.code == "timeout"


def test_leaving_early_leaves_no_process_and_no_descriptor(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=120.0)
    # What children are forked from is there already.
    seconds_of(path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with decode(path) as decoding:
            next(iter(decoding))
    assert len(os.listdir("/proc/self/fd")) == before
    assert media_children() == []


SEEDS = ("wav", "flac", "mp3", "m4a", "webm", "ogg")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    codecs = {
        "wav": "pcm_s16le",
        "flac": "flac",
        "mp3": "libmp3lame",
        "m4a": "aac",
        "webm": "libopus",
        "ogg": "libopus",
    }
    return [recording(folder / f"a.{name}", codecs[name], seconds=0.3).read_bytes() for name in SEEDS]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_raises_anything_but_an_error_of_the_job(
    data: st.DataObject, seeds: list[bytes], tmp_path: Path
) -> None:
    content = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + 4] = data.draw(st.binary(min_size=1, max_size=4))
    code = ""
    try:
        seconds_of(written(tmp_path / "a.bin", bytes(content)), DecodeLimits(max_seconds=600))
    except JobError as error:
        code = error.code
    assert code != "internal_error"


@pytest.mark.parametrize(("channels", "code"), [(64, ""), (65, "source_type_not_supported")])
def test_more_channels_than_can_be_mixed(tmp_path: Path, channels: int, code: str) -> None:
    data = bytes(channels * 2 * RATE)
    form = struct.pack("<HHIIHH", 1, channels, RATE, RATE * channels * 2, channels * 2, 16)
    riff = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    path = written(tmp_path / "a.wav", b"RIFF" + struct.pack("<I", len(riff)) + riff)
    if code:
        assert failure(path).code == code
    else:
        assert seconds_of(path)[0] == pytest.approx(1.0, abs=0.01)
