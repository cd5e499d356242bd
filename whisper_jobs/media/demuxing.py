"""Opens a file with PyAV, says what it is, and decodes one of its sound tracks. Runs in the decoding child only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

import av
import av.audio.stream
import av.error
import av.logging
import av.subtitles.stream  # PyAV loads these when a file has such a stream, when no more files can be opened
import av.video.stream
from av import AudioFrame, AudioStream, Packet, VideoStream
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream

from whisper_jobs.errors import JobError
from whisper_jobs.media import codecs, sniffing
from whisper_jobs.media.resampling import Converter, Recording, Timeline

_MAX_STREAMS = 100
_MAX_TITLE = 500
_LOST_SECONDS = 1.0
_LOST_SHARE = 0.02
_OPTIONS = {
    "format_whitelist": codecs.CONTAINERS,
    "codec_whitelist": ",".join(sorted(codecs.SOUND_FORMATS)),
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "max_streams": str(_MAX_STREAMS),
}


class Source(Protocol):
    size: int

    def head(self) -> bytes: ...


class Frames(Protocol):
    def send(self, kind: bytes, payload: bytes) -> None: ...

    def send_json(self, kind: bytes, value: dict[str, Any]) -> None: ...


def decode(source: Source, frames: Frames, max_seconds: float) -> None:
    """Send what the file is, its samples, and how it ended. Every failure is a JobError."""
    av.logging.set_level(av.logging.PANIC)
    with _opened(source) as container:
        track = _chosen(container)
        info = _info(container, track)
        stated = _stated_seconds(container, track)
        if stated is not None and stated > max_seconds * 1.05 + 1.0:
            raise JobError("source_too_long")
        frames.send_json(b"I", info)
        recording = Recording(lambda pcm: frames.send(b"P", pcm), max_seconds)
        warnings = _Reader(container, track).copy_to(recording)
        recording.flush()
        frames.send_json(b"E", {"warnings": warnings + _cut_off(source, stated, recording.seconds)})


class _Reader:
    """Goes through a track as far as it can be read and counts what could not."""

    def __init__(self, container: InputContainer, track: AudioStream) -> None:
        self._container = container
        self._track = track
        self._zero = _first_moment(container, track)
        self._damaged = 0
        self._silent = 0.0
        self._broke_off = False

    def copy_to(self, recording: Recording) -> list[str]:
        converter = Converter()
        timeline: Timeline | None = None
        for frame in self._frames():
            timeline = timeline or Timeline(self._zero, _seconds(self._container))
            gap = timeline.gap_before(frame)
            if gap:
                self._silent += gap if recording.seconds else 0.0
                for pcm in converter.flush():
                    recording.add(pcm)
                recording.add_silence(gap)
            for pcm in converter.convert(frame):
                recording.add(pcm)
        for pcm in converter.flush():
            recording.add(pcm)
        if not recording.seconds:
            raise JobError("media_corrupt")
        return self._warnings()

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in self._packets():
            try:
                frames: list[Any] = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self._damaged += 1
                continue
            yield from (frame for frame in frames if isinstance(frame, AudioFrame) and frame.samples)

    def _packets(self) -> Iterator[Packet[Any]]:
        """The packets of the track. Pictures before the first of them tell what a player shows as 0:00."""
        packets = self._container.demux()
        sounded = False
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self._broke_off = True
                return
            if packet.stream.index == self._track.index:
                if not sounded:
                    _discard_all_but(self._container, self._track)
                sounded = True
                yield packet
            elif not sounded and packet.pts is not None and packet.time_base and not packet.is_discard:
                moment = float(packet.pts * packet.time_base)
                self._zero = moment if self._zero is None else min(self._zero, moment)

    def _warnings(self) -> list[str]:
        told = []
        if self._broke_off:
            told.append("The file breaks off; what comes before is transcribed.")
        if self._damaged:
            told.append(f"Damaged places in the file were left out ({self._damaged}).")
        if self._silent:
            told.append(
                f"{self._silent:.1f} s within the recording hold no sound, as if paused; they are kept as silence."
            )
        return told


def _opened(source: Source) -> InputContainer:
    try:
        return av.open(source, "r", container_options=dict(_OPTIONS), metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        if sniffing.media_type(source.head()):
            raise JobError("media_corrupt") from error
        raise JobError("source_type_not_supported") from error


def _chosen(container: InputContainer) -> AudioStream:
    """The track that the file marks as its default, else the best; the others are not even read."""
    tracks = container.streams.audio
    readable = [track for track in tracks if _decoder(track) in codecs.SOUND_FORMATS]
    if not tracks:
        raise JobError("no_audio_stream")
    if not readable:
        names = ", ".join(sorted({_codec(track) or "unknown" for track in tracks}))
        raise JobError("source_type_not_supported", f"The sound is in a format that can't be read here ({names}).")
    best = container.streams.best("audio")
    chosen = next((t for t in readable if t.disposition & Disposition.default), None)
    chosen = chosen or next((t for t in readable if best is not None and t.index == best.index), readable[0])
    _discard_all_but(container, chosen, *_pictures(container))
    chosen.codec_context.thread_count = 1
    return chosen


def _discard_all_but(container: InputContainer, *wanted: Stream) -> None:
    for stream in container.streams:
        if all(stream.index != other.index for other in wanted):
            stream.discard = Discard.all


def _pictures(container: InputContainer) -> list[VideoStream]:
    """Moving pictures, not the cover of an album."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _decoder(track: AudioStream) -> str:
    context = track.codec_context
    return context.codec.name if context is not None else ""


def _codec(track: AudioStream) -> str:
    context = track.codec_context
    return context.codec.canonical_name if context is not None else ""


def _info(container: InputContainer, chosen: AudioStream) -> dict[str, Any]:
    name = container.format.name.split(",")[0]
    return {
        "container": name,
        "codec": _codec(chosen),
        "duration_seconds": _seconds(container),
        "mime": codecs.mime_of(name, has_video=bool(_pictures(container))),
        "audio_tracks": [_track(track) for track in container.streams.audio],
        "chosen_track": chosen.index,
        "title": _text(container.metadata, "title"),
        "sample_rate": chosen.codec_context.sample_rate,
        "channels": chosen.codec_context.layout.nb_channels,
    }


def _track(track: AudioStream) -> dict[str, Any]:
    context = track.codec_context
    return {
        "index": track.index,
        "codec": _codec(track),
        "language": _text(track.metadata, "language"),
        "title": _text(track.metadata, "title"),
        "channels": context.layout.nb_channels if context is not None else 0,
        "sample_rate": context.sample_rate if context is not None else 0,
        "default": bool(track.disposition & Disposition.default),
    }


def _text(metadata: dict[str, str], name: str) -> str:
    found = next((value for key, value in metadata.items() if key.lower() == name), "")
    return " ".join(found.split())[:_MAX_TITLE]


def _seconds(container: InputContainer) -> float | None:
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def _first_moment(container: InputContainer, track: AudioStream) -> float | None:
    """What a player shows as 0:00 as far as the header tells: the first moment of any stream."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    if track.start_time is not None and track.time_base is not None:
        return float(track.start_time * track.time_base)
    return None


def _stated_seconds(container: InputContainer, track: AudioStream) -> float | None:
    """The track's length where the file states it exactly, which most formats without an index don't."""
    if container.format.name.split(",")[0] not in codecs.STATE_THEIR_LENGTH:
        return None
    if track.duration is not None and track.time_base is not None:
        return float(track.duration * track.time_base)
    written = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", track.metadata.get("DURATION", ""))
    if written:
        return int(written[1]) * 3600 + int(written[2]) * 60 + float(written[3])
    return _seconds(container) if len(container.streams) == 1 else None


def _cut_off(source: Source, stated: float | None, decoded: float) -> list[str]:
    if stated is not None and stated - decoded > max(_LOST_SECONDS, stated * _LOST_SHARE):
        return [f"The file is incomplete: it should last {stated:.0f} s, but only {decoded:.0f} s could be read."]
    if (sniffing.stated_bytes(source.head()) or 0) > source.size:
        return ["The file is incomplete: its end is missing. What comes before is transcribed."]
    return []
