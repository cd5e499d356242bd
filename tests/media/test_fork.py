"""Decoding children are forked from a template, which is there for the next recording and never in its way."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.media.children import media_children
from tests.media.recordings import RATE, recording
from whisper_jobs.errors import JobError
from whisper_jobs.media.decode_template import Template
from whisper_jobs.media.decoding import decode
from whisper_jobs.media.forking import LENGTH, end_template

pytestmark = pytest.mark.serve


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return recording(tmp_path / "a.wav", "pcm_s16le", rate=16_000, seconds=120.0)


def templates() -> list[int]:
    mine = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [int(pid) for pid in mine if b"decode_template" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def seconds_of(file: Path) -> float:
    with decode(file) as decoding:
        return sum(len(samples) for samples in decoding) / RATE


def gone(pid: int) -> bool:
    give_up_at = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    return not Path(f"/proc/{pid}").exists()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_recordings_one_after_the_other_have_one_template(file: Path) -> None:
    end_template()
    assert [seconds_of(file), seconds_of(file)] == [120.0, 120.0]
    [first] = templates()
    assert seconds_of(file) == 120.0
    assert templates() == [first]


def test_two_at_once_are_children_of_one_template_and_end_each_by_itself(file: Path) -> None:
    with decode(file) as one:
        next(iter(one))
        [child] = media_children()
        assert seconds_of(file) == 120.0
        assert media_children() == [child]
        assert parent_of(child) in templates()
    assert gone(child)


def test_a_template_that_was_killed_is_replaced(file: Path) -> None:
    seconds_of(file)
    [first] = templates()
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert seconds_of(file) == 120.0
    [second] = templates()
    assert second != first


def test_a_template_takes_its_children_with_it_and_the_job_may_be_tried_again(file: Path) -> None:
    with decode(file) as decoding:
        chunks = iter(decoding)
        next(chunks)
        [child] = media_children()
        os.kill(parent_of(child), signal.SIGKILL)
        with pytest.raises(JobError) as caught:
            list(chunks)
    assert (caught.value.code, caught.value.retry) == ("media_corrupt", True)
    assert gone(child)


def test_after_a_crash_the_next_recording_gets_a_new_template(file: Path) -> None:
    """Else who makes one child crash could learn how the memory of the next is laid out."""
    with decode(file) as decoding:
        chunks = iter(decoding)
        next(chunks)
        [child] = media_children()
        first = parent_of(child)
        os.kill(child, signal.SIGSEGV)
        with pytest.raises(JobError):
            list(chunks)
    assert seconds_of(file) == 120.0
    give_up_at = time.monotonic() + 10
    while first in templates() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    [second] = templates()
    assert second != first


def test_a_template_ends_with_the_thread_that_made_it(file: Path) -> None:
    found: list[int] = []

    def work() -> None:
        seconds_of(file)
        found.extend(templates())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found) == 1
    assert gone(found[0])


def test_a_template_that_has_no_room_for_one_more_goes_on_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> int:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(os, "fork", full)
    asks, asked = socket.socketpair()
    mine, lifeline = socket.socketpair()
    reading, writing = os.pipe()
    with asks, asked, mine, lifeline, open("/dev/null", "rb") as sound:
        template = Template.__new__(Template)
        template._requests, template._children = asked, {}
        socket.send_fds(asks, [LENGTH.pack(2) + b"{}"], [sound.fileno(), writing, lifeline.fileno()])
        lifeline.close()
        os.close(writing)
        assert template._fork()
        assert not template._children
        assert (mine.recv(1), os.read(reading, 1)) == (b"", b"")
    os.close(reading)
