"""Unpacks one sound track as its bytes arrive, and sends the samples of each packet at once. Runs in the unpacking child only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import av
import av.audio.stream
import av.error
import av.logging
import av.subtitles.stream  # PyAV loads these when a file has such a stream, when no more files can be opened
import av.video.stream
from av import AudioFrame, AudioStream
from av.container import InputContainer

from whisper_jobs.errors import JobError
from whisper_jobs.media.resampling import Converter

_SOUND_FORMATS = ("opus", "libopus", "vorbis", "flac")
_OPTIONS = {
    "codec_whitelist": ",".join(_SOUND_FORMATS),
    "protocol_whitelist": "none",
    "max_streams": "8",
    # Nothing is looked at ahead: the header says it all, and somebody waits for the first words.
    "probesize": "4096",
    "analyzeduration": "0",
    "fflags": "nobuffer",
}
#: The library asks for so much at once and takes what there is.
_BUFFER_BYTES = 4096
_MOST_FRAME_BYTES = 1 << 19


class Source(Protocol):
    def read(self, size: int) -> bytes: ...


class Frames(Protocol):
    def send(self, kind: bytes, payload: bytes) -> None: ...

    def send_json(self, kind: bytes, value: dict[str, Any]) -> None: ...


def unpack(source: Source, frames: Frames, *, container: str) -> None:
    """Raises JobError for what is no such sound; what is damaged in the middle is left out."""
    av.logging.set_level(av.logging.PANIC)
    with _opened(source, container) as opened:
        converter = Converter()
        for frame in _sound(opened, _track(opened)):
            for pcm in converter.convert(frame):
                _send(frames, pcm)
        for pcm in converter.flush():
            _send(frames, pcm)
    frames.send_json(b"E", {})


def _opened(source: Source, container: str) -> InputContainer:
    options = {**_OPTIONS, "format_whitelist": container}
    try:
        return av.open(
            source,
            "r",
            format=container,
            container_options=options,
            buffer_size=_BUFFER_BYTES,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise JobError("media_corrupt", "The sound that was sent can't be read. Connect again.") from error


def _track(container: InputContainer) -> AudioStream:
    tracks = container.streams.audio
    if not tracks:
        raise JobError("no_audio_stream")
    context = tracks[0].codec_context
    if context is None or context.codec.name not in _SOUND_FORMATS:
        raise JobError("source_type_not_supported", "Send Opus, Vorbis or FLAC in WebM or Ogg.")
    context.thread_count = 1
    return tracks[0]


def _sound(container: InputContainer, track: AudioStream) -> Iterator[AudioFrame]:
    packets = container.demux(track)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            decoded: list[Any] = packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue
        yield from (frame for frame in decoded if isinstance(frame, AudioFrame) and frame.samples)


def _send(frames: Frames, pcm: bytes) -> None:
    for start in range(0, len(pcm), _MOST_FRAME_BYTES):
        frames.send(b"P", pcm[start : start + _MOST_FRAME_BYTES])
