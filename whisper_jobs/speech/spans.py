"""From one speech probability per frame to spans of speech, frame by frame. Used by the window cutter only."""

from __future__ import annotations

Frames = tuple[int, int]


class SpanTracker:
    """Speech starts at the higher probability and ends where it stays below the lower one for a while.

    Keeps the spans until they are taken. All times are frames since the start of the recording.
    """

    def __init__(self, probabilities: tuple[float, float], *, shortest_speech: int, shortest_silence: int) -> None:
        self._on, self._off = probabilities
        self._shortest_speech = shortest_speech
        self._shortest_silence = shortest_silence
        self.frame = 0
        self.spans: list[Frames] = []
        self._open: int | None = None
        self._quiet_since: int | None = None
        # What is left of a span that was cut in two belongs to speech, however short it is.
        self._open_is_rest = False

    @property
    def speaking(self) -> bool:
        return self._open is not None

    @property
    def idle(self) -> bool:
        return self._open is None and not self.spans

    @property
    def first(self) -> int | None:
        """Where the first span that was not taken starts."""
        return self.spans[0][0] if self.spans else self._open

    def hear(self, probability: float) -> None:
        if probability >= self._on:
            self._quiet_since = None
            if self._open is None:
                self._open = self.frame
        elif self._open is not None and probability < self._off and self._quiet_since is None:
            self._quiet_since = self.frame
        self.frame += 1
        if self._quiet_since is not None and self.frame - self._quiet_since >= self._shortest_silence:
            self._close()

    def finish(self) -> None:
        if self._open is not None:
            self._close()

    def all_spans(self) -> list[Frames]:
        """Also the one that still goes on."""
        return self.spans if self._open is None else [*self.spans, (self._open, self._end())]

    def take_all(self) -> list[Frames]:
        """The finished spans."""
        taken, self.spans = self.spans, []
        return taken

    def take_before(self, cut: int) -> list[Frames]:
        """The spans before this frame; one that lies across it is cut in two."""
        spans = self.all_spans()
        taken = [(start, min(end, cut)) for start, end in spans if start < cut]
        self.spans = [(max(start, cut), end) for start, end in self.spans if end > cut]
        if self._open is not None and self._open < cut:
            self._open, self._open_is_rest = cut, True
        return taken

    def _end(self) -> int:
        end = self.frame if self._quiet_since is None else self._quiet_since
        return max(end, self._open or 0)

    def _close(self) -> None:
        if self._open is not None:
            start, end = self._open, self._end()
            if end > start and (self._open_is_rest or end - start >= self._shortest_speech):
                self.spans.append((start, end))
        self._open, self._quiet_since, self._open_is_rest = None, None, False
