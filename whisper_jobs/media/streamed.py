"""Sound that arrives in pieces while somebody speaks → 16 kHz mono samples, for live sessions.

Plain samples are read here; what has to be unpacked is unpacked in a child process, which a hostile client can hurt alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt
from av import AudioFrame

from whisper_jobs.errors import JobError
from whisper_jobs.media.resampling import SAMPLE_RATE, Converter
from whisper_jobs.media.streamed_unpacking import Unpacker
from whisper_jobs.media.streamed_wav import HIGHEST_RATE, LOWEST_RATE, WavReader

Pcm = npt.NDArray[np.int16]

_PLAIN = {"audio/pcm", "audio/l16"}
_WAV = {"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"}
#: By ffmpeg's names of the containers.
_PACKED = {"audio/webm": "matroska,webm", "video/webm": "matroska,webm", "audio/ogg": "ogg", "audio/opus": "ogg"}
MEDIA_TYPES = ("audio/pcm", "audio/wav", "audio/webm;codecs=opus", "audio/ogg")
UNKNOWN = "Send audio/wav, audio/pcm, audio/webm or audio/ogg."


def is_known(media_type: str) -> bool:
    return _bare(media_type) in {*_PLAIN, *_WAV, *_PACKED}


class Source(Protocol):
    def feed(self, data: bytes) -> Pcm: ...

    def finish(self) -> Pcm: ...

    def close(self) -> None: ...


class Incoming:
    """One client's sound.

    Make it, feed it and close it in one thread that lives as long as it does: a child dies with that thread.
    """

    def __init__(self, media_type: str, sample_rate: int) -> None:
        """`sample_rate` is that of samples that come without a header. Raises JobError `source_type_not_supported`."""
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise JobError("source_type_not_supported", f"A sample rate of {sample_rate} Hz can't be used; send 16000.")
        kind = _bare(media_type)
        self._unpacker: Unpacker | None = None
        if kind in _PACKED:
            self._unpacker = Unpacker(_PACKED[kind])
        elif kind not in _PLAIN | _WAV:
            raise JobError("source_type_not_supported", UNKNOWN)
        self._source: Source = self._unpacker or (_Wav(sample_rate) if kind in _WAV else _Plain(sample_rate))

    def feed(self, data: bytes) -> Pcm:
        """What can be heard by now; never waits. Fed nothing (b""), it picks up what the child has unpacked. Raises JobError."""
        return self._source.feed(data)

    def finish(self) -> Pcm:
        """The rest. Waits for the child, some seconds at most. Raises JobError."""
        return self._source.finish()

    def close(self) -> None:
        """Ends the child. May be called again."""
        self._source.close()

    def fileno(self) -> int | None:
        """Becomes readable when `feed(b"")` would give something; None where nothing is unpacked elsewhere, or it is closed."""
        return self._unpacker.fileno() if self._unpacker else None

    @property
    def waiting_bytes(self) -> int:
        """Fed, but not yet taken by the child: above a megabyte or so read no more from the client for a moment."""
        return self._unpacker.waiting_bytes if self._unpacker else 0


class _Plain:
    """16-bit samples, little-endian, one channel. A piece may end in the middle of one."""

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._rest, self._resampler = sample_rate, b"", _Resampler()

    def feed(self, data: bytes) -> Pcm:
        data = self._rest + data
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return self._resampler.convert(np.frombuffer(data[:whole], "<i2").astype(np.int16), self._rate)

    def finish(self) -> Pcm:
        return self._resampler.finish()

    def close(self) -> None:
        pass


class _Wav:
    def __init__(self, sample_rate: int) -> None:
        self._reader, self._resampler = WavReader(sample_rate), _Resampler()

    def feed(self, data: bytes) -> Pcm:
        return self._converted(self._reader.feed(data))

    def finish(self) -> Pcm:
        return _joined([self._converted(self._reader.finish()), self._resampler.finish()])

    def close(self) -> None:
        pass

    def _converted(self, found: Iterable[tuple[Pcm, int]]) -> Pcm:
        return _joined([self._resampler.convert(samples, rate) for samples, rate in found])


class _Resampler:
    """To 16 kHz by ffmpeg's filters; what has that rate goes through as it is."""

    def __init__(self) -> None:
        self._converter = Converter()
        self._rate = SAMPLE_RATE

    def convert(self, samples: Pcm, rate: int) -> Pcm:
        before = self.finish() if rate != self._rate else _joined([])
        self._rate = rate
        if rate == SAMPLE_RATE or not len(samples):
            return _joined([before, samples])
        return _joined([before, *map(_pcm, self._converter.convert(_frame(samples, rate)))])

    def finish(self) -> Pcm:
        return _joined(map(_pcm, self._converter.flush()))


def _frame(samples: Pcm, rate: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
    return frame


def _pcm(data: bytes) -> Pcm:
    return np.frombuffer(data, np.int16)


def _joined(parts: Iterable[Pcm]) -> Pcm:
    return np.concatenate([np.zeros(0, np.int16), *parts])


def _bare(media_type: str) -> str:
    """Without its parameters, which say what the bytes themselves say."""
    return media_type.partition(";")[0].strip().lower()
