"""A transcript as one line that grows: what each segment, or each word, adds to the text before it."""

from __future__ import annotations

from whisper_jobs.speech.transcript import is_unspaced


class RunningText:
    """`text` is always what `add` has returned so far, put together."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> str:
        """The piece with the space before it, if its script writes one; empty for a text that says nothing."""
        piece = " ".join(text.split())
        if piece and self._pieces and not (is_unspaced(self._pieces[-1][-1]) and is_unspaced(piece[0])):
            piece = f" {piece}"
        if piece:
            self._pieces.append(piece)
        return piece

    @property
    def text(self) -> str:
        return "".join(self._pieces)
