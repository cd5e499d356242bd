"""Recordings of every kind that people have → what is heard in them, where, and how loud."""

from __future__ import annotations

import os
import resource
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media.children import media_children
from tests.media.measuring import measured
from tests.media.recordings import RATE, Writer, pitch, recording, silent_flac, tone
from whisper_jobs.errors import JobError
from whisper_jobs.media.decoding import DecodeLimits, MediaInfo, decode

Samples = NDArray[np.int16]


def decoded(path: Path, limits: DecodeLimits | None = None) -> tuple[Samples, MediaInfo, tuple[str, ...]]:
    with decode(path, limits=limits) as decoding:
        samples = np.concatenate(list(decoding))
        return samples, decoding.info, decoding.warnings


KINDS = [
    # file, codec, rate, container that is told, codec that is told, MIME
    ("a.wav", "pcm_s16le", 44_100, "wav", "pcm_s16le", "audio/wav"),
    ("a.mp3", "libmp3lame", 44_100, "mp3", "mp3", "audio/mpeg"),
    ("a.flac", "flac", 44_100, "flac", "flac", "audio/flac"),
    ("a.ogg", "vorbis", 48_000, "ogg", "vorbis", "audio/ogg"),
    ("a.opus", "libopus", 48_000, "ogg", "opus", "audio/ogg"),
    ("a.m4a", "aac", 44_100, "mov", "aac", "audio/mp4"),
    ("a.aac", "aac", 44_100, "aac", "aac", "audio/aac"),
    ("a.wma", "wmav2", 44_100, "asf", "wmav2", "audio/x-ms-wma"),
    ("a.webm", "libopus", 48_000, "matroska", "opus", "audio/webm"),
    ("a.amr", "libopencore_amrnb", 8_000, "amr", "amr_nb", "audio/amr"),
    ("a.aiff", "pcm_s16be", 44_100, "aiff", "pcm_s16be", "audio/aiff"),
    ("a.caf", "alac", 44_100, "caf", "alac", "audio/x-caf"),
    ("a.au", "pcm_mulaw", 8_000, "au", "pcm_mulaw", "audio/basic"),
    ("a.w64", "pcm_s16le", 44_100, "w64", "pcm_s16le", "audio/x-w64"),
    ("a.wv", "wavpack", 44_100, "wv", "wavpack", "audio/x-wavpack"),
    ("a.tta", "tta", 44_100, "tta", "tta", "audio/x-tta"),
    ("a.ac3", "ac3", 48_000, "ac3", "ac3", "audio/ac3"),
    ("a.3gp", "libopencore_amrnb", 8_000, "mov", "amr_nb", "audio/mp4"),
]
PICTURES = [
    ("a.mp4", "aac", 44_100, "mov", "video/mp4"),
    ("a.mov", "aac", 44_100, "mov", "video/mp4"),
    ("a.mkv", "libopus", 48_000, "matroska", "video/x-matroska"),
    ("a.avi", "libmp3lame", 44_100, "avi", "video/x-msvideo"),
    ("a.ts", "mp2", 48_000, "mpegts", "video/mp2t"),
    ("a.flv", "aac", 44_100, "flv", "video/x-flv"),
]


@pytest.mark.parametrize(("name", "codec", "rate", "container", "told", "mime"), KINDS, ids=[kind[0] for kind in KINDS])
def test_every_kind_of_sound_file_is_read(
    tmp_path: Path, name: str, codec: str, rate: int, container: str, told: str, mime: str
) -> None:
    # PyAV's Vorbis encoder knows stereo only.
    channels, layout = ([440.0, 440.0], "stereo") if codec == "vorbis" else ([440.0], "mono")
    samples, info, warnings = decoded(recording(tmp_path / name, codec, rate=rate, channels=channels, layout=layout))
    assert (info.container, info.codec, info.mime, info.sample_rate) == (container, told, mime, rate)
    assert info.channels == len(channels)
    assert warnings == ()
    assert samples.dtype == np.int16
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.08)
    assert pitch(samples) == pytest.approx(440, abs=3)
    assert np.abs(samples[RATE // 2 : -RATE // 2]).max() == pytest.approx(16_384, rel=0.15)


@pytest.mark.parametrize(("name", "codec", "rate", "container", "mime"), PICTURES, ids=[kind[0] for kind in PICTURES])
def test_the_sound_of_a_video_is_read(
    tmp_path: Path, name: str, codec: str, rate: int, container: str, mime: str
) -> None:
    samples, info, warnings = decoded(
        recording(tmp_path / name, codec, rate=rate, picture="flv" if name == "a.flv" else "mpeg4")
    )
    assert (info.container, info.mime, warnings) == (container, mime, ())
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.1)
    assert pitch(samples) == pytest.approx(440, abs=3)


@pytest.mark.parametrize(
    ("codec", "rate", "channels", "layout"),
    [
        ("pcm_u8", 8_000, 1, "mono"),
        ("pcm_s24le", 96_000, 2, "stereo"),
        ("pcm_s32le", 48_000, 2, "stereo"),
        ("pcm_f32le", 48_000, 6, "5.1"),
        ("pcm_f64le", 22_050, 2, "stereo"),
        ("pcm_s24le", 192_000, 8, "7.1"),
        ("pcm_alaw", 8_000, 1, "mono"),
    ],
)
def test_every_form_of_pcm_is_mixed_down_without_clipping(
    tmp_path: Path, codec: str, rate: int, channels: int, layout: str
) -> None:
    path = recording(tmp_path / "a.wav", codec, rate=rate, channels=[440.0] * channels, layout=layout, level=0.98)
    samples, info, _ = decoded(path)
    assert (info.sample_rate, info.channels) == (rate, channels)
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.1)
    assert pitch(samples) == pytest.approx(440, abs=3)
    peak = int(np.abs(samples.astype(np.int32)).max())
    assert 20_000 < peak < 32_700
    assert np.count_nonzero(np.abs(samples.astype(np.int32)) > 32_600) == 0


def test_every_microphone_of_an_eight_channel_recorder_is_heard(tmp_path: Path) -> None:
    """Without a speaker layout no channel is a subwoofer to leave out."""
    pitches = [300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0]
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(8)
        file.setsampwidth(2)
        file.setframerate(192_000)
        tones = np.stack([tone(hertz, 1.0, 192_000, 0.9) for hertz in pitches], axis=1)
        file.writeframes((tones * 32767).astype("<i2").tobytes())
    samples, info, _ = decoded(tmp_path / "a.wav")
    assert (info.channels, info.sample_rate, len(samples)) == (8, 192_000, RATE)
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
    heard = [spectrum[round(hertz) - 2 : round(hertz) + 3].max() for hertz in pitches]
    assert min(heard) > 0.8 * max(heard)


def test_a_twentieth_of_a_second_is_read(tmp_path: Path) -> None:
    samples, _, warnings = decoded(recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=0.05))
    assert (len(samples), warnings) == (800, ())


def test_the_default_track_is_chosen_and_all_are_told(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.mkv") as file:
        tracks = [
            file.add_track("libopus", rate=48_000, language="eng", title="Original"),
            file.add_track("libopus", rate=48_000, language="swe", title="Dubbed"),
        ]
        file.title("Two\n tongues")
        tracks[0].disposition = av.stream.Disposition(0)
        tracks[1].disposition = av.stream.Disposition.default
        for track, hertz in zip(tracks, (300, 900), strict=True):
            file.sound(track, tone(hertz, 2.0, 48_000))
        file.finish(*tracks)
    samples, info, _ = decoded(tmp_path / "a.mkv")
    assert [(track.index, track.language, track.title, track.default) for track in info.audio_tracks] == [
        (0, "eng", "Original", False),
        (1, "swe", "Dubbed", True),
    ]
    assert (info.chosen_track, info.title) == (1, "Two tongues")
    assert pitch(samples) == pytest.approx(900, abs=3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_sound_that_starts_after_the_picture_keeps_its_time(tmp_path: Path, name: str) -> None:
    with Writer(tmp_path / name) as file:
        moving, track = file.add_picture(), file.add_track("aac", rate=48_000)
        file.picture(moving, 3.0)
        file.sound(track, tone(440, 1.5, 48_000), start=1.5)
        file.finish(moving, track)
    samples, _, warnings = decoded(tmp_path / name)
    assert warnings == ()
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 4000)
    assert loud[0] / RATE == pytest.approx(1.5, abs=0.06)
    assert loud[-1] / RATE == pytest.approx(3.0, abs=0.1)


def test_a_pause_in_the_clock_of_the_file_is_kept_as_silence(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.mkv") as file:
        track = file.add_track("flac", rate=48_000)
        file.sound(track, tone(440, 1.0, 48_000))
        file.sound(track, tone(440, 1.0, 48_000), start=3.0)
        file.finish(track)
    samples, _, warnings = decoded(tmp_path / "a.mkv")
    assert len(samples) / RATE == pytest.approx(4.0, abs=0.05)
    assert np.abs(samples[round(1.2 * RATE) : round(2.8 * RATE)]).max() == 0
    assert np.abs(samples[round(3.2 * RATE) :]).max() > 10_000
    assert "2.0 s" in warnings[0]


def test_an_open_file_is_decoded_from_its_start_and_left_where_it_was(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le")
    with path.open("rb") as file:
        path.unlink()
        file.seek(100)
        with decode(file) as decoding:
            assert sum(len(chunk) for chunk in decoding) == 2 * RATE
        assert file.tell() == 100


def test_chunks_are_a_few_seconds_long(tmp_path: Path) -> None:
    with decode(recording(tmp_path / "a.flac", "flac", seconds=11.0)) as decoding:
        sizes = [len(chunk) / RATE for chunk in decoding]
    assert len(sizes) > 3
    assert all(1.0 <= size <= 5.0 for size in sizes[:-1])


def test_the_memory_of_ten_hours_is_that_of_ten_minutes(tmp_path: Path) -> None:
    short, parent_short, child_short = measured(silent_flac(tmp_path / "short.flac", 600))
    long, parent_long, child_long = measured(silent_flac(tmp_path / "long.flac", 36_000))
    assert short / RATE == pytest.approx(600, abs=0.1)
    assert long / RATE == pytest.approx(36_000, abs=0.1)
    assert parent_long <= 1.15 * parent_short
    assert child_long <= 1.15 * child_short


def test_a_reader_that_stops_holds_the_child_back(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=120.0)
    with decode(path) as decoding:
        chunks = iter(decoding)
        next(chunks)
        (child,) = media_children()
        time.sleep(0.3)
        assert Path(f"/proc/{child}").exists()
        written = next(
            int(line.split()[1])
            for line in Path(f"/proc/{child}/io").read_text().splitlines()
            if line.startswith("wchar")
        )
        assert written < 500_000
    assert not Path(f"/proc/{child}").exists()


def test_the_child_has_no_network_no_files_and_no_privileges(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=120.0)
    with decode(path, limits=DecodeLimits(memory_bytes=1 << 29, cpu_seconds=77)) as decoding:
        next(iter(decoding))
        (child,) = media_children()
        assert resource.prlimit(child, resource.RLIMIT_NOFILE) == (0, 0)
        assert resource.prlimit(child, resource.RLIMIT_FSIZE) == (0, 0)
        assert resource.prlimit(child, resource.RLIMIT_CORE) == (0, 0)
        assert resource.prlimit(child, resource.RLIMIT_AS)[0] == 1 << 29
        assert resource.prlimit(child, resource.RLIMIT_CPU)[0] == 77
        assert "NoNewPrivs:\t1" in Path(f"/proc/{child}/status").read_text()
        assert os.getsid(child) == child
        opened = sorted(os.readlink(f"/proc/{child}/fd/{fd}") for fd in os.listdir(f"/proc/{child}/fd"))
        assert [name.partition(":")[0] for name in opened] == ["/dev/null"] * 3 + [str(path), "pipe"]


def test_a_stop_is_seen(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=60.0)
    heard: list[int] = []
    with decode(path, should_stop=lambda: len(heard) > 2) as decoding:
        chunks = iter(decoding)
        heard += [len(next(chunks)) for _ in range(3)]
        time.sleep(0.3)
        with pytest.raises(JobError) as caught:
            next(chunks)
    assert caught.value.code == "cancelled"
    assert media_children() == []
