"""What is taken back of a session's folder: its sound is silence, and none of its words is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from tests.hearing.talking import SECOND
from tests.hearing.test_spool import HEAD, closed
from whisper_jobs.hearing import spool
from whisper_jobs.hearing.spool import Spool

SESSION = UUID(int=7)


def loud(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.full(round(seconds * SECOND), 1000, np.int16)


def told(text: str, end: float) -> dict[str, object]:
    return {"type": "delta", "text": text, "is_final": True, "start": end - 1, "end": end}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Spool]:
    one = Spool.begin(tmp_path / str(SESSION), HEAD)
    one.add(loud(10.0))
    yield one
    one.close()


def sound(session: Spool) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.concatenate(list(spool.sound(session.folder)))


def test_the_sound_is_as_long_as_before_and_silent_from_there_on(session: Spool) -> None:
    session.silence(4.0)
    session.add(loud(2.0))
    samples = sound(session)
    assert len(samples) == 12 * SECOND
    assert (samples[: 4 * SECOND] == 1000).all()
    assert not samples[4 * SECOND : 10 * SECOND].any()
    assert (samples[10 * SECOND :] == 1000).all()


def test_windows_behind_it_are_none_and_later_ones_are(session: Spool) -> None:
    session.close_window(closed(1.0, "kept"))
    session.close_window(closed(5.0, "gone"))
    session.silence(4.0)
    session.close_window(closed(10.5, "later"))
    windows = spool.read(session.folder).windows
    assert [segment.text for window in windows for segment in window.segments] == ["kept", "later"]


def test_words_that_were_told_are_not_told_again(session: Spool) -> None:
    session.keep_final(told("kept", 3.0))
    session.keep_final(told("gone", 6.0))
    session.silence(4.0)
    session.keep_final(told("later", 11.0))
    assert [line["text"] for line in session.finals(0.0)] == ["kept", "later"]
    (window,) = spool.read(session.folder).windows
    assert [segment.text for segment in window.segments] == ["kept", "later"]


def test_silence_behind_the_end_changes_nothing(session: Spool) -> None:
    session.silence(20.0)
    assert (sound(session) == 1000).all()
