"""What is on the disk of a session is a recording, wherever the process died."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from whisper_jobs.hearing import spool
from whisper_jobs.hearing.spool import Head, Spool
from whisper_jobs.speech.streaming.heard import Closed
from whisper_jobs.speech.transcript import Decoding, Segment, Word

HEAD = Head("A", "clockwork", "clockwork", "draft", "It is all there is.", 1_700_000_000.0)
SOUND = np.arange(-8000, 8000, dtype=np.int16)


def closed(start: float, text: str = "räksmörgås") -> Closed:
    words = (Word(start, start + 0.5, text, 0.25),)
    segment = Segment(start, start + 0.5, text, words, probability=0.25, decoding=Decoding(0.0, -0.1, 1.0, None))
    return Closed(start, start + 1.0, ((start, start + 0.5),), (segment,), "sv", 0.9)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Spool]:
    begun = Spool.begin(tmp_path / "one", HEAD)
    yield begun
    begun.close()


def test_the_sealed_file_is_a_recording_of_all_that_came(session: Spool) -> None:
    session.add(SOUND)
    session.add(SOUND[:100])
    assert session.seconds == (len(SOUND) + 100) / 16_000
    session.close()
    with wave.open(str(spool.seal(session.folder))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert file.readframes(1 << 20) == SOUND.tobytes() + SOUND[:100].tobytes()


def test_the_journal_gives_back_windows_and_head(session: Spool) -> None:
    windows = (closed(0.0), closed(1.5, "two\nlines \u2028"))
    for one in windows:
        session.close_window(one)
    found = spool.read(session.folder)
    assert (found.head, found.windows, found.is_done) == (HEAD, windows, False)
    assert (found.heard_until, found.language) == (2.5, ("sv", 0.9))
    session.all_heard()
    assert spool.read(session.folder).is_done


def test_lines_and_samples_that_were_being_written_are_passed_over(session: Spool) -> None:
    session.add(SOUND)
    session.close_window(closed(0.0))
    session.close()
    for name, rest in (("journal", b'{"window": {"sta'), ("sound.wav", b"\x01"), ("finals", b'{"en')):
        with (session.folder / name).open("ab") as file:
            file.write(rest)
    assert spool.read(session.folder).windows == (closed(0.0),)
    assert spool.sound_bytes(session.folder) == SOUND.nbytes
    assert list(session.finals(0.0)) == []
    with wave.open(str(spool.seal(session.folder))) as file:
        assert file.getnframes() == len(SOUND)


def test_a_folder_whose_process_died_at_once_has_no_sound(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    assert spool.sound_bytes(folder) == 0
    assert spool.read(folder).head is None
    assert list(spool.sound(folder)) == []


def test_sound_is_read_from_any_second_on(session: Spool) -> None:
    session.add(SOUND)
    assert np.concatenate(list(spool.sound(session.folder, start=0.5))).tolist() == SOUND[8000:].tolist()
    assert list(spool.sound(session.folder, start=1.0)) == []


def test_final_words_are_told_again_from_where_a_client_is(session: Spool) -> None:
    for end in (1.0, 2.0, 3.0):
        session.keep_final({"text": str(end), "end": end})
    assert [one["text"] for one in session.finals(1.0)] == ["2.0", "3.0"]


def test_words_that_were_told_as_final_of_an_utterance_that_went_on_are_kept(session: Spool) -> None:
    for start, text in ((0.0, "closed"), (1.5, "told"), (2.0, "too")):
        session.keep_final({"type": "delta", "text": text, "is_final": True, "start": start, "end": start + 0.4})
    session.close_window(closed(0.0, "closed"))
    found = spool.read(session.folder)
    assert [(one.start, one.end, one.text) for one in found.windows[1].segments] == [
        (1.5, 1.9, "told"),
        (2.0, 2.4, "too"),
    ]
    assert found.heard_until == 2.4
    session.close_window(closed(1.5, "told too"))
    assert [one.segments[0].text for one in spool.read(session.folder).windows] == ["closed", "told too"]


def test_only_folders_of_sessions_count(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "0190b2a4-0000-7000-8000-000000000001").mkdir()
    assert [str(one) for one in spool.left(tmp_path)] == ["0190b2a4-0000-7000-8000-000000000001"]
    assert spool.left(tmp_path / "nowhere") == []
