"""Times as people and players read them."""

from __future__ import annotations

from whisper_jobs.speech.pieces import milliseconds


def clock(at_ms: int, decimal_mark: str = ".") -> str:
    """`HH:MM:SS.mmm`; hours take as many digits as they need."""
    seconds, rest = divmod(at_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{rest:03}"


def short_clock(seconds: float) -> str:
    """`H:MM:SS`, of the second that has begun, as a player shows it."""
    minutes, second = divmod(milliseconds(seconds) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{second:02}"
