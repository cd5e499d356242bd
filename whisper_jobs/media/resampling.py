"""Decoded frames of any kind → 16 kHz mono 16-bit, each sample at the time at which a player would sound it.

Runs in the decoding child only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from av import AudioFrame
from av.filter import Graph

from whisper_jobs.errors import JobError

SAMPLE_RATE = 16_000
_CHUNK_BYTES = 2 * SAMPLE_RATE * 2
#: A frame that comes this much later than the one before it ended leaves a gap, which players keep as silence.
_GAP_SECONDS = 0.1
#: A jump beyond this is a broken clock and not a pause, unless the file is known to be that long.
_LONGEST_BLIND_GAP = 600.0
#: FFmpeg's filters mix no more.
_MOST_CHANNELS = 64
_FORMAT = f"sample_fmts=s16:sample_rates={SAMPLE_RATE}:channel_layouts=mono"


class Recording:
    """The samples on their way out, in chunks of about two seconds, never more than the limit."""

    def __init__(self, write: Callable[[bytes], None], max_seconds: float) -> None:
        self._write = write
        self._max_bytes = int(max_seconds * SAMPLE_RATE) * 2
        self._pending = bytearray()
        self._bytes = 0

    @property
    def seconds(self) -> float:
        return self._bytes / (2 * SAMPLE_RATE)

    def add(self, pcm: bytes) -> None:
        self._bytes += len(pcm)
        if self._bytes > self._max_bytes:
            raise JobError("source_too_long")
        self._pending += pcm
        if len(self._pending) >= _CHUNK_BYTES:
            self.flush()

    def add_silence(self, seconds: float) -> None:
        left = 2 * round(seconds * SAMPLE_RATE)
        while left > 0:
            self.add(bytes(min(left, _CHUNK_BYTES)))
            left -= _CHUNK_BYTES

    def flush(self) -> None:
        if self._pending:
            self._write(bytes(self._pending))
            self._pending.clear()


class Timeline:
    """Where the next frame belongs. `start` is the moment that a player shows as zero."""

    def __init__(self, start: float | None, duration: float | None) -> None:
        self._next = start
        self._latest = None if start is None or duration is None else start + duration + 1.0

    def gap_before(self, frame: AudioFrame) -> float:
        """Seconds of silence before this frame. Moves on to the frame's end."""
        length = frame.samples / frame.sample_rate
        time = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
        if time is None or self._next is None:
            self._next = (self._next or 0.0 if time is None else time) + length
            return 0.0
        gap = time - self._next
        if gap > _GAP_SECONDS and (gap <= _LONGEST_BLIND_GAP or (self._latest is not None and time <= self._latest)):
            self._next = time + length
            return gap
        # Small differences are rounding in the container; a backward or wild jump is a clock that starts anew.
        self._next = self._next + length if abs(gap) <= _GAP_SECONDS else time + length
        return 0.0


class Converter:
    """A filter graph for frames of one kind, rebuilt when the kind changes in mid-stream."""

    def __init__(self) -> None:
        self._kind: tuple[object, ...] = ()
        self._graph: Graph | None = None

    def convert(self, frame: AudioFrame) -> Iterator[bytes]:
        kind = (frame.format.name, frame.sample_rate, frame.layout.name, frame.layout.nb_channels)
        if kind != self._kind:
            yield from self.flush()
            self._graph, self._kind = _graph_for(frame), kind
        assert self._graph is not None
        frame.pts = None
        self._graph.push(frame)
        yield from _pulled(self._graph)

    def flush(self) -> Iterator[bytes]:
        if self._graph is not None:
            self._graph.push(None)
            yield from _pulled(self._graph)
            self._graph, self._kind = None, ()


def _graph_for(frame: AudioFrame) -> Graph:
    channels = frame.layout.nb_channels
    if channels > _MOST_CHANNELS:
        told = (
            f"The file has {channels} channels, and no more than {_MOST_CHANNELS} can be mixed. Submit fewer of them."
        )
        raise JobError("source_type_not_supported", told)
    graph = Graph()
    graph.threads = 1
    nodes = [
        graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
    ]
    if channels > 2 and frame.layout.name.endswith("channels"):  # unknown seats: each may be a speaker's microphone
        share = 1.0 / channels
        nodes.append(graph.add("pan", "mono|c0=" + "+".join(f"{share:.6f}*c{index}" for index in range(channels))))
    nodes += [graph.add("aformat", _FORMAT), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def _pulled(graph: Graph) -> Iterator[bytes]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(frame, AudioFrame)
        yield bytes(memoryview(frame.planes[0])[: frame.samples * 2])
