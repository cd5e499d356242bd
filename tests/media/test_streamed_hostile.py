"""Clients that send something else than they say, too much, or nothing: an error of their own, and no harm to anybody else."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.media.children import media_children, started_children
from tests.media.recordings import RATE, Writer, recording, tone
from whisper_jobs.errors import JobError
from whisper_jobs.media import streamed_unpacking
from whisper_jobs.media.streamed import Incoming

WEBM = "audio/webm;codecs=opus"


def failure(data: bytes, media_type: str = WEBM) -> JobError:
    with closing(Incoming(media_type, 48_000)) as incoming, pytest.raises(JobError) as caught:
        whole(incoming, data)
    assert media_children() == []
    return caught.value


def whole(incoming: Incoming, data: bytes) -> int:
    return len(incoming.feed(data)) + len(incoming.finish())


def again_and_again(incoming: Incoming, data: bytes) -> None:
    for _ in range(2000):
        incoming.feed(data)
        time.sleep(0.002)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        bytes(100_000),
        b"\x1a\x45\xdf\xa3" + bytes(500),
        b"OggS" + bytes(500),
        b"RIFF\x00\x00\x01\x00WAVE",
        b"#EXTM3U\nhttp://127.0.0.1/a\n",
    ],
    ids=repr,
)
@pytest.mark.parametrize("media_type", [WEBM, "audio/ogg"])
def test_what_is_no_such_sound_is_told(data: bytes, media_type: str) -> None:
    assert failure(data, media_type).code in ("media_corrupt", "no_audio_stream")


def test_other_containers_are_not_opened(tmp_path: Path) -> None:
    data = recording(tmp_path / "a.mp3", "libmp3lame").read_bytes()
    assert failure(data).code == "media_corrupt"


def test_a_video_without_sound(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.mkv") as file:
        moving = file.add_picture()
        file.picture(moving, 1.0)
        file.finish(moving)
    assert failure((tmp_path / "a.mkv").read_bytes()).code == "no_audio_stream"


def test_another_kind_of_sound_in_the_container(tmp_path: Path) -> None:
    data = recording(tmp_path / "a.mkv", "aac").read_bytes()
    assert failure(data).code in ("source_type_not_supported", "media_corrupt")


def test_damage_in_the_middle_loses_no_more_than_that(tmp_path: Path) -> None:
    data = bytearray(recording(tmp_path / "a.webm", "libopus", seconds=10.0).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = os.urandom(200)
    with closing(Incoming(WEBM, 48_000)) as incoming:
        found = whole(incoming, bytes(data))
    assert found / RATE > 4.0


def test_a_child_that_was_killed_is_told(tmp_path: Path) -> None:
    data = recording(tmp_path / "a.webm", "libopus").read_bytes()
    with closing(Incoming(WEBM, 48_000)) as incoming:
        incoming.feed(data[:2000])
        [child] = started_children()
        os.kill(child, signal.SIGKILL)
        with pytest.raises(JobError) as caught:
            again_and_again(incoming, data)
    assert caught.value.code == "media_corrupt"


def test_feeding_never_waits_for_a_child_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_unpacking, "MOST_WAITING_BYTES", 1 << 20)
    data = recording(tmp_path / "a.webm", "libopus", seconds=1.0).read_bytes()
    with closing(Incoming(WEBM, 48_000)) as incoming:
        [child] = started_children()
        os.kill(child, signal.SIGSTOP)
        incoming.feed(bytes(200_000))
        assert incoming.waiting_bytes > 100_000
        with pytest.raises(JobError) as caught:
            again_and_again(incoming, data)
    assert caught.value.code == "source_too_large"
    assert media_children() == []


def test_few_bytes_that_stand_for_much_sound_come_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_unpacking, "MOST_TAKEN_BYTES", 4 * RATE)
    with Writer(tmp_path / "a.webm") as file:
        track = file.add_track("libopus", rate=48_000)
        file.sound(track, 0 * tone(440, 60.0, 48_000))
        file.finish(track)
    data = (tmp_path / "a.webm").read_bytes()
    found = []
    with closing(Incoming(WEBM, 48_000)) as incoming:
        found.append(len(incoming.feed(data)))
        for _ in range(2000):
            found.append(len(incoming.feed(b"")))
            time.sleep(0.002)
            if sum(found) > 59 * RATE:
                break
    assert sum(found) / RATE > 59
    assert max(found) <= 2 * RATE + 40_000


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.integers(0, 6000), st.binary(min_size=1, max_size=40)), max_size=6))
def test_any_damage_ends_in_sound_or_an_error(tmp_path: Path, places: list[tuple[int, bytes]]) -> None:
    data = bytearray(recording(tmp_path / "a.webm", "libopus", seconds=1.0).read_bytes())
    for at, damage in places:
        data[at : at + len(damage)] = damage
    with closing(Incoming(WEBM, 48_000)) as incoming:
        try:
            whole(incoming, bytes(data))
        except JobError as error:
            assert error.code in ("media_corrupt", "no_audio_stream", "source_type_not_supported")
    assert media_children() == []
