"""`live`: words while somebody speaks. On a terminal those that may still change stand in grey and are written over."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from tools_whisper import sounds
from tools_whisper.cli import screen, settings
from tools_whisper.live import Closed, Delta, Sound, Wishes, listen
from tools_whisper.transport import Place

GREY, PLAIN = "\x1b[2m", "\x1b[0m"


def live(told: Namespace) -> int:
    known = settings.load()
    stop = threading.Event()
    sound = sounds.of_file(told.file) if told.file else sounds.of_microphone(stop)
    if not told.file:
        screen.note("Speak. Ctrl-C ends the session; the last words come then.")
    _end_at_first_interrupt(stop)
    wishes = Wishes(language=told.language, chunk_seconds=told.chunk, diarize=told.speakers)
    heard = replace(sound, pieces=_until(stop, sound))
    for event in listen(Place(known.url, known.token), heard, wishes):
        _tell(event, as_json=told.json)
    return 0


def _end_at_first_interrupt(stop: threading.Event) -> None:
    """The second one ends the program."""

    def ask(_number: int, _frame: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, ask)


def _until(stop: threading.Event, sound: Sound) -> Iterator[bytes]:
    for piece in sound.pieces:
        yield piece
        if stop.is_set():
            return


def _tell(event: Delta | Closed, *, as_json: bool) -> None:
    if as_json:
        screen.as_json(asdict(event))
    elif isinstance(event, Closed):
        _end(event)
    elif event.is_final:
        who = f"{event.speaker}: " if event.speaker else ""
        _line(f"{who}{event.text}", ends=True)
    elif sys.stdout.isatty():
        # The end of it is what is being said.
        _line(f"{GREY}{screen.plain(event.text)[-screen.columns() :]}{PLAIN}", ends=False)


def _line(text: str, *, ends: bool) -> None:
    if not sys.stdout.isatty():
        print(text, flush=True)
    else:
        print(f"{screen.CLEAR}{screen.plain(text) if ends else text}", end="\n" if ends else "", flush=True)


def _end(event: Closed) -> None:
    if sys.stdout.isatty():
        print(screen.CLEAR, end="", flush=True)
    if event.reason:
        screen.note(event.reason)
    screen.note("Nothing was heard." if event.job_id is None else f"The recording is job {event.job_id}.")
