"""What is printed: results to standard output, everything else to standard error; a bar where that is a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from typing import Any, TextIO

from tools_whisper.shapes import Job

BAR_CELLS = 24
CLEAR = "\r\x1b[K"
#: Between two lines of progress where there is no terminal.
STEP_PERCENT = 10


def plain(text: str) -> str:
    """Without what a terminal would obey: a title may come from anybody."""
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)


def result(text: str) -> None:
    print(plain(text) if sys.stdout.isatty() else text, flush=True)


def as_json(told: Any) -> None:
    print(json.dumps(told, ensure_ascii=False), flush=True)


def note(text: str) -> None:
    print(plain(text), file=sys.stderr, flush=True)


class Progress:
    """One line that is written over, on a terminal; otherwise a line per stage and now and then."""

    def __init__(self, out: TextIO | None = None, *, is_quiet: bool = False) -> None:
        self._out, self._is_quiet = out or sys.stderr, is_quiet
        self._is_terminal = self._out.isatty()
        self._told: tuple[str, int] = ("", -1)

    def sent(self, name: str, done: int, size: int) -> None:
        self._tell("sending", 100 * done / max(1, size), plain(name))

    def job(self, job: Job) -> None:
        self._tell(job.stage or job.status, job.progress, f"job {job.id}{_rest(job)}")

    def done(self) -> None:
        if self._is_terminal and self._told[0]:
            self._out.write(CLEAR)
            self._out.flush()
        self._told = ("", -1)

    def _tell(self, what: str, percent: float, more: str) -> None:
        step = (what, int(percent) if self._is_terminal else int(percent // STEP_PERCENT))
        if self._is_quiet or step == self._told:
            return
        self._told = step
        text = f"{percent:3.0f} %  {what}, {more}"
        self._out.write(f"{CLEAR}{_bar(percent)} {_cut(text)}" if self._is_terminal else f"{text}\n")
        self._out.flush()


def _bar(percent: float) -> str:
    full = round(BAR_CELLS * min(100.0, max(0.0, percent)) / 100)
    return "█" * full + "░" * (BAR_CELLS - full)


def columns() -> int:
    """Of the terminal, less one: a full line would be broken."""
    return max(40, shutil.get_terminal_size().columns) - 1


def _cut(text: str) -> str:
    """So that the line stays one beside the bar; wide letters take two columns."""
    width, most = 0, columns() - BAR_CELLS - 2
    for place, one in enumerate(text):
        width += 2 if unicodedata.east_asian_width(one) in "WF" else 1
        if width > most:
            return text[:place] + "…"
    return text


def _rest(job: Job) -> str:
    if job.queue_position:
        return f", number {job.queue_position} in the queue"
    if not job.eta_seconds:
        return ""
    minutes, seconds = divmod(round(job.eta_seconds), 60)
    return f", {minutes} min {seconds:02d} s left" if minutes else f", {seconds} s left"


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
