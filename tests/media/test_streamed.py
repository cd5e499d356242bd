"""Sound of a live client, in pieces of every kind → the samples that were meant, as soon as they have arrived."""

from __future__ import annotations

import io
import struct
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.media.children import media_children, started_children
from tests.media.recordings import RATE, pitch, recording, tone
from whisper_jobs.errors import JobError
from whisper_jobs.media.streamed import Incoming

Samples = NDArray[np.int16]


def pcm(seconds: float = 1.0, rate: int = RATE, hertz: float = 440.0) -> Samples:
    return (tone(hertz, seconds, rate) * 32767).astype(np.int16)


def wav(samples: Samples, *, rate: int = RATE, channels: int = 1, width: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def header(kind: int, channels: int, rate: int, bits: int, size: int, *, extensible: bool = False) -> bytes:
    align = channels * bits // 8
    chunk = struct.pack("<HHIIHH", 0xFFFE if extensible else kind, channels, rate, rate * align, align, bits)
    if extensible:
        chunk += struct.pack("<HHIH", 22, bits, 3, kind) + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    told = b"WAVEfmt " + struct.pack("<I", len(chunk)) + chunk + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + told


def heard(media_type: str, pieces: Sequence[bytes], *, rate: int = RATE) -> Samples:
    with closing(Incoming(media_type, rate)) as incoming:
        return np.concatenate([*map(incoming.feed, pieces), incoming.finish()])


def split(data: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    for length in lengths:
        yield data[:length]
        data = data[length:]
    yield data


# --- samples without a container ------------------------------------------------------------------

lengths = st.lists(st.integers(0, 900), max_size=20)


@given(lengths)
def test_plain_samples_come_through_as_they_are(lengths: list[int]) -> None:
    samples = pcm(0.2)
    assert np.array_equal(heard("audio/pcm", list(split(samples.tobytes(), lengths))), samples)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_other_rates_are_brought_to_16_khz(rate: int) -> None:
    data = pcm(2.0, rate).tobytes()
    found = heard("audio/pcm", [data[at : at + 999] for at in range(0, len(data), 999)], rate=rate)
    assert len(found) / RATE == pytest.approx(2.0, abs=0.01)
    assert pitch(found) == pytest.approx(440, abs=2)
    assert np.abs(found).max() == pytest.approx(16_384, rel=0.1)


def test_what_was_fed_can_be_heard_at_once() -> None:
    with closing(Incoming("audio/pcm", 48_000)) as incoming:
        assert len(incoming.feed(pcm(0.5, 48_000).tobytes())) / RATE == pytest.approx(0.5, abs=0.02)


# --- WAV ------------------------------------------------------------------------------------------


@given(lengths)
def test_a_wav_file_may_be_split_anywhere(lengths: list[int]) -> None:
    samples = pcm(0.2)
    assert np.array_equal(heard("audio/wav", list(split(wav(samples), lengths))), samples)


def test_each_piece_may_have_a_header_of_its_own() -> None:
    samples = pcm(2.0)
    pieces = [wav(part) for part in np.array_split(samples, 7)]
    assert np.array_equal(heard("audio/wav", pieces), samples)
    assert np.array_equal(heard("audio/wav", [b"".join(pieces)]), samples)


def test_sound_without_a_header_has_the_rate_that_was_told() -> None:
    found = heard("audio/wav", [pcm(1.0, 8_000).tobytes()], rate=8_000)
    assert len(found) / RATE == pytest.approx(1.0, abs=0.01)


def test_a_few_bytes_without_a_header_are_sound() -> None:
    assert len(heard("audio/wav", [b"RI", b"F"])) == 1
    assert len(heard("audio/wav", [b"\x01\x00"])) == 1
    assert len(heard("audio/wav", [])) == 0


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 320, 1_000_000_000])
def test_a_recorder_may_tell_any_length(size: int) -> None:
    samples = pcm(1.0)
    data = header(1, 1, RATE, 16, size) + samples.tobytes()
    assert np.array_equal(heard("audio/wav", list(split(data, [10, 40, 1000, 5000]))), samples)


def test_what_stands_behind_and_between_the_sound_is_no_sound() -> None:
    samples = pcm(0.5)
    note = b"LIST" + struct.pack("<I", 5) + b"hello\x00"
    head = wav(samples)
    data = head[:12] + note + head[12:] + note
    assert np.array_equal(heard("audio/wav", [data, wav(samples)]), np.concatenate((samples, samples)))


@pytest.mark.parametrize(
    ("kind", "bits", "extensible"),
    [
        (1, 8, False),
        (1, 16, False),
        (1, 24, False),
        (1, 32, False),
        (3, 32, False),
        (3, 64, False),
        (1, 24, True),
        (3, 32, True),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_of_every_width(kind: int, bits: int, extensible: bool, channels: int) -> None:
    wave = np.repeat(tone(440, 0.5).astype(np.float64), channels)
    data = header(kind, channels, RATE, bits, 0, extensible=extensible) + coded(wave, kind, bits)
    found = heard("audio/wav", [data[at : at + 777] for at in range(0, len(data), 777)])
    assert len(found) == RATE // 2
    assert found == pytest.approx(tone(440, 0.5) * 32768, abs=260 if bits == 8 else 2)


def coded(wave: NDArray[np.float64], kind: int, bits: int) -> bytes:
    if kind == 3:
        return wave.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (np.rint(wave * 127) + 128).astype(np.uint8).tobytes()
    whole = np.rint(wave * (2 ** (bits - 1) - 1)).astype("<i4")
    return b"".join(int(each).to_bytes(bits // 8, "little", signed=True) for each in whole)


def test_two_channels_are_mixed() -> None:
    both = np.stack([pcm(1.0), np.zeros(RATE, np.int16)], axis=1)
    assert heard("audio/wav", [wav(both, channels=2)]) == pytest.approx(pcm(1.0) / 2, abs=1)


def test_numbers_that_are_none_and_samples_too_loud_do_no_harm() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 7.0, 0.25], "<f4").tobytes()
    assert heard("audio/wav", [header(3, 1, RATE, 32, 0) + odd]).tolist() == [0, 32767, -32768, 32767, 8192]


@pytest.mark.parametrize(
    "form",
    [
        (2, 1, RATE, 4),
        (1, 3, RATE, 16),
        (1, 0, RATE, 16),
        (1, 1, 0, 16),
        (1, 1, 4_000, 16),
        (3, 1, RATE, 16),
        (1, 1, RATE, 12),
    ],
)
def test_a_kind_of_wav_that_is_not_read(form: tuple[int, int, int, int]) -> None:
    with pytest.raises(JobError) as caught:
        heard("audio/wav", [header(*form, 0)])
    assert caught.value.code == "source_type_not_supported"


def test_a_format_of_no_sense() -> None:
    for size in (3, 1 << 30):
        with pytest.raises(JobError) as caught:
            heard("audio/wav", [b"RIFF\x00\x00\x00\x00WAVEfmt " + struct.pack("<I", size) + bytes(40)])
        assert caught.value.code == "media_corrupt"


# --- packed sound ---------------------------------------------------------------------------------

PACKED = [("a.webm", "libopus", "audio/webm;codecs=opus"), ("a.ogg", "libopus", "audio/ogg; codecs=opus")]


@pytest.fixture(params=PACKED, ids=["webm", "ogg"])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, str]:
    """Five seconds, and what they are."""
    name, codec, media_type = request.param
    return recording(tmp_path / name, codec, seconds=5.0).read_bytes(), media_type


def test_packed_sound_is_unpacked(packed: tuple[bytes, str]) -> None:
    data, media_type = packed
    found = heard(media_type, [data[at : at + 500] for at in range(0, len(data), 500)])
    assert len(found) / RATE == pytest.approx(5.0, abs=0.1)
    assert pitch(found) == pytest.approx(440, abs=2)
    assert media_children() == []


def test_packed_sound_can_be_heard_while_it_arrives(packed: tuple[bytes, str]) -> None:
    data, media_type = packed
    half = len(data) // 2
    with closing(Incoming(media_type, 48_000)) as incoming:
        assert waited_for(incoming, data[:half], seconds=1.2)
        assert waited_for(incoming, data[half : half + half // 2], seconds=0.3)


def waited_for(incoming: Incoming, data: bytes, *, seconds: float) -> bool:
    """Whether so much sound comes of that without more being fed."""
    got, give_up_at = len(incoming.feed(data)), time.monotonic() + 20
    while got < seconds * RATE and time.monotonic() < give_up_at:
        got += len(incoming.feed(b""))
        time.sleep(0.01)
    return got >= seconds * RATE


def test_closing_ends_the_child_whatever_it_was_doing(packed: tuple[bytes, str]) -> None:
    data, media_type = packed
    incoming = Incoming(media_type, 48_000)
    incoming.feed(data[:3000])
    assert len(started_children()) == 1
    assert incoming.fileno() is not None
    incoming.close()
    incoming.close()
    assert media_children() == []
    assert incoming.fileno() is None
    assert len(incoming.feed(data)) == 0


def test_plain_sound_needs_no_child() -> None:
    with closing(Incoming("audio/wav", RATE)) as incoming:
        assert incoming.fileno() is None
        assert incoming.waiting_bytes == 0
        assert media_children() == []


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["", "audio/mpeg", "text/html", "audio", "audio/webmx"])
def test_a_kind_that_is_not_known(media_type: str) -> None:
    with pytest.raises(JobError) as caught:
        Incoming(media_type, RATE)
    assert caught.value.code == "source_type_not_supported"


@pytest.mark.parametrize("rate", [0, -1, 7_999, 1_000_000])
def test_a_rate_that_is_none(rate: int) -> None:
    with pytest.raises(JobError):
        Incoming("audio/pcm", rate)


def test_parameters_and_capitals_make_no_difference() -> None:
    assert np.array_equal(heard(" Audio/PCM;rate=16000 ", [pcm(0.1).tobytes()]), pcm(0.1))
