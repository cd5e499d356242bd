"""Makes recordings of every kind with PyAV: tones, so that what comes out can be recognised."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 16_000


def tone(hertz: float, seconds: float, rate: int = RATE, level: float = 0.5) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def wav_bytes(seconds: float = 1.0, hertz: float = 440.0) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((tone(hertz, seconds) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def pitch(samples: NDArray[np.int16]) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64) * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))


def silent_flac(path: Path, seconds: int) -> Path:
    """Silence in blocks of eight seconds, each twelve bytes: ten hours are 60 kB."""
    blocks = seconds // 8
    head = struct.pack(">HH", _BLOCK, _BLOCK) + bytes(6)
    head += (8000 << 44 | 0 << 41 | 15 << 36 | blocks * _BLOCK).to_bytes(8, "big") + bytes(16)
    frames = (_silent_frame(number) for number in range(blocks))
    path.write_bytes(b"fLaC\x80\x00\x00\x22" + head + b"".join(frames))
    return path


_BLOCK = 64_000


def _silent_frame(number: int) -> bytes:
    header = b"\xff\xf8\x74\x08" + chr(number).encode("utf-8", "surrogatepass") + struct.pack(">H", _BLOCK - 1)
    frame = header + bytes([_crc(header, 0x07, 8)]) + bytes(3)
    return frame + _crc(frame, 0x8005, 16).to_bytes(2, "big")


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
    return value


class Writer:
    """Writes one file: sound tracks and, if wanted, a moving picture."""

    def __init__(self, path: Path, container: str | None = None) -> None:
        self._file: Any = av.open(str(path), "w", format=container)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *failed: object) -> None:
        self._file.close()

    def add_track(self, codec: str, *, rate: int, layout: str = "mono", **metadata: str) -> Any:
        stream = self._file.add_stream(codec, rate=rate)
        stream.codec_context.layout = layout
        stream.codec_context.time_base = Fraction(1, rate)
        if codec.startswith("wma"):
            stream.codec_context.bit_rate = 128_000
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        stream.metadata.update(metadata)
        return stream

    def add_picture(self, codec: str = "mpeg4") -> Any:
        stream = self._file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        return stream

    def title(self, text: str) -> None:
        self._file.metadata["title"] = text

    def sound(self, stream: Any, samples: NDArray[np.float32], start: float = 0.0) -> None:
        """Channels by samples, or samples alone for mono."""
        context = stream.codec_context
        planar = np.atleast_2d(samples)
        wanted = context.format.name if context.format else "fltp"
        resampler = av.AudioResampler(wanted, context.layout, context.sample_rate)
        step = context.frame_size or 1024
        for index in range(0, planar.shape[1], step):
            packed = np.ascontiguousarray(planar[:, index : index + step].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "flt", context.layout.name)
            frame.sample_rate = context.sample_rate
            frame.time_base = Fraction(1, context.sample_rate)
            frame.pts = round(start * context.sample_rate) + index
            for converted in resampler.resample(frame):
                self._file.mux(stream.encode(converted))

    def picture(self, stream: Any, seconds: float) -> None:
        for index in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index % 255, np.uint8), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            self._file.mux(stream.encode(frame))

    def finish(self, *streams: Any) -> None:
        for stream in streams:
            self._file.mux(stream.encode(None))


def recording(
    path: Path,
    codec: str,
    *,
    container: str | None = None,
    rate: int = 48_000,
    channels: Sequence[float] = (440.0,),
    layout: str = "mono",
    seconds: float = 2.0,
    level: float = 0.5,
    picture: str = "",
) -> Path:
    """A file with one sound track; `channels` gives the tone of each channel."""
    with Writer(path, container) as file:
        moving = [file.add_picture(picture)] if picture else []
        track = file.add_track(codec, rate=rate, layout=layout)
        for stream in moving:
            file.picture(stream, seconds)
        file.sound(track, np.stack([tone(hertz, seconds, rate, level) for hertz in channels]))
        file.finish(track, *moving)
    return path
