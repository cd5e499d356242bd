"""SubRip and WebVTT (https://www.w3.org/TR/webvtt1/): captions with their times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from whisper_jobs.speech.captions import DASH, Cue, Line, captions
from whisper_jobs.speech.formats.clocks import clock
from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.transcript import Transcript


def render_srt(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    """Captions by rule mark a new speaker by a dash; segments as they are begin with the speaker's name."""
    for number, cue in enumerate(_cues(transcript, options), start=1):
        # An arrow in the text would be read as a line of times.
        name = f"{cue.lines[0].speaker}: " if cue.lines[0].speaker and options.rules is None else ""
        text = (name + "\n".join(line.text for line in cue.lines)).replace("-->", "→")
        yield f"{number}\n{clock(cue.start_ms, ',')} --> {clock(cue.end_ms, ',')}\n{text}\n\n"


def render_vtt(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    """Speakers are voice tags; with `words`, each word after the first carries the time when it is said."""
    yield "WEBVTT\n\n"
    for cue in _cues(transcript, options):
        voices = [
            _voice(speaker, "\n".join(_line(line, cue, options) for line in lines))
            for speaker, lines in groupby(cue.lines, key=lambda line: line.speaker)
        ]
        # One voice lasts to the end of its caption; of several each is closed.
        text = voices[0] if len(voices) == 1 else "\n".join(f"{voice}</v>" for voice in voices)
        yield f"{clock(cue.start_ms)} --> {clock(cue.end_ms)}\n{text}\n\n"


def _cues(transcript: Transcript, options: FormatOptions) -> Iterator[Cue]:
    return captions(transcript.segments, options.rules, speakers=options.speakers)


def _voice(speaker: str | None, text: str) -> str:
    # Hyphens at its end would make an arrow with the end of the tag, and the caption would be read as a line of times.
    return f"<v {_escape(speaker).replace('--', '-&#45;')}>{text}" if speaker else text


def _line(line: Line, cue: Cue, options: FormatOptions) -> str:
    return _with_times(line, cue) if options.words else _escape(line.text)


def _with_times(line: Line, cue: Cue) -> str:
    """A time must lie within its caption, after those before it; the word of one that doesn't follows without it."""
    written, latest = DASH if line.is_turn else "", cue.start_ms
    if line is not cue.lines[0]:
        latest = max(piece.start_ms for piece in cue.lines[0].pieces)
    for number, piece in enumerate(line.pieces):
        space = "" if piece.glued or not number else " "
        time = ""
        if latest < piece.start_ms < cue.end_ms:
            time, latest = f"<{clock(piece.start_ms)}>", piece.start_ms
        written += f"{space}{time}<c>{_escape(piece.text)}</c>"
    return written


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
