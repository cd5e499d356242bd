"""A folder whose recordings are handed in: each once, whatever dies, and never one that is still written to."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage
from tests.serve.ports import wait_until
from tests.serve.prepared import prepare
from tests.serve.servers import ROOT, environment
from whisper_jobs import intake, lifecycle, trash, uploads, watching
from whisper_jobs.models import IdempotencyKey, Job
from whisper_jobs.watching import Orders, Watch

SOUND = b"RIFF" + bytes(100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    return made


@pytest.fixture
def watch(folder: Path, alice: User) -> Watch:
    return Watch(folder, Orders(alice))


def put(folder: Path, name: str = "talk.mp3", content: bytes = SOUND) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def looks(watch: Watch, times: int = 2) -> list[Job]:
    return [job for _look in range(times) for job in watch.look()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.exists() else []


def test_a_file_that_rests_becomes_a_job_and_is_moved(watch: Watch, folder: Path, alice: User) -> None:
    put(folder)
    (job,) = looks(watch)
    assert (job.owner, job.source_filename, job.source_size_bytes) == (alice, "talk.mp3", len(SOUND))
    assert (names(folder), names(folder / "handed-in")) == (["handed-in"], ["talk.mp3"])


def test_a_file_that_grows_is_left_alone(watch: Watch, folder: Path) -> None:
    path = put(folder)
    for _look in range(3):
        assert looks(watch, 1) == []
        with path.open("ab") as file:
            file.write(b"more")
    assert len(looks(watch)) == 1


def test_a_file_that_is_written_over_while_it_is_read_is_left_alone(
    watch: Watch, folder: Path, monkeypatch: Any
) -> None:
    path, read = put(folder), watching._sha256

    def meanwhile(handle: Any) -> str:
        path.write_bytes(SOUND + b"more")
        return read(handle)

    monkeypatch.setattr(watching, "_sha256", meanwhile)
    assert looks(watch) == []
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["notes.txt", ".talk.mp3", "talk.mp3.part", "list.m3u", "list.m3u8", "noname"])
def test_what_is_no_recording_stays_where_it_is(watch: Watch, folder: Path, name: str) -> None:
    put(folder, name)
    assert looks(watch) == []
    assert (folder / name).exists()


def test_links_folders_pipes_and_empty_files_stay_where_they_are(watch: Watch, folder: Path, tmp_path: Path) -> None:
    (folder / "link.mp3").symlink_to(put(tmp_path, "elsewhere.mp3"))
    (folder / "folder.mp3").mkdir()
    os.mkfifo(folder / "pipe.mp3")
    put(folder, "empty.mp3", b"")
    assert looks(watch, 3) == []
    assert names(folder) == ["empty.mp3", "folder.mp3", "link.mp3", "pipe.mp3"]


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(watch: Watch, folder: Path, tmp_path: Path) -> None:
    secret, path = put(tmp_path, "secret.mp3"), put(folder)
    told = path.stat()
    watch.seen = {"talk.mp3": (told.st_size, told.st_mtime_ns)}
    path.unlink()
    path.symlink_to(secret)
    assert watch._take("talk.mp3") is None
    assert not Job.objects.exists()


def test_the_same_recording_twice_is_one_job_and_both_files_are_kept(watch: Watch, folder: Path) -> None:
    put(folder)
    looks(watch)
    put(folder)
    assert len({job.pk for job in looks(watch)}) == 1
    assert Job.objects.count() == 1
    assert names(folder / "handed-in") == ["talk (2).mp3", "talk.mp3"]


def test_another_recording_of_the_same_name_is_another_job(watch: Watch, folder: Path) -> None:
    put(folder)
    looks(watch)
    put(folder, content=SOUND + b"other")
    looks(watch)
    assert Job.objects.count() == 2


@pytest.mark.parametrize("died_at", ["_write_note", "_move"])
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=3)])
def test_a_process_that_dies_between_job_and_move_makes_no_second_job(
    watch: Watch, folder: Path, monkeypatch: Any, died_at: str, later: timedelta
) -> None:
    def die(*args: Any) -> None:
        raise SystemExit

    put(folder)
    with monkeypatch.context() as dying:
        dying.setattr(watching, died_at, die)
        with pytest.raises(SystemExit):
            looks(watch)
    IdempotencyKey.objects.update(created_at=timezone.now() - later)
    intake.reap_keys()
    looks(Watch(folder, watch.orders))
    assert Job.objects.count() == 1
    assert names(folder / "handed-in") == ["talk.mp3"]


def test_whoever_deleted_the_job_and_puts_the_file_there_again_gets_another(watch: Watch, folder: Path) -> None:
    put(folder)
    (job,) = looks(watch)
    lifecycle.delete(job.pk)
    put(folder)
    assert [one.pk for one in looks(watch)] != [job.pk]
    assert Job.objects.count() == 1


def test_a_file_over_the_limit_is_refused_with_the_reason(watch: Watch, folder: Path, monkeypatch: Any) -> None:
    put(folder)
    monkeypatch.setattr(uploads, "limit", lambda: uploads.UploadLimit(0, 1000, 0))
    assert looks(watch) == []
    assert names(folder / "refused") == ["talk.mp3", "talk.mp3.txt"]
    assert "larger than this server takes (0 MB)" in (folder / "refused" / "talk.mp3.txt").read_text()


def test_at_a_limit_of_the_owner_files_wait(watch: Watch, folder: Path, alice: User, stage: Stage) -> None:
    User.objects.filter(pk=alice.pk).update(max_queued_jobs=1)
    watch.orders.owner.refresh_from_db()
    job = stage.submit(alice)
    put(folder)
    assert looks(watch) == []
    assert names(folder) == ["talk.mp3"]
    lifecycle.request_cancel(job.pk)
    assert len(looks(watch, 1)) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.ENOENT])
def test_a_full_disk_or_a_file_that_cannot_be_read_is_tried_again_and_stops_no_other(
    watch: Watch, folder: Path, monkeypatch: Any, number: int
) -> None:
    put(folder, "a.mp3"), put(folder, "b.mp3", SOUND + b"b")
    opened = watching._opened

    def refuse(path: Path) -> Any:
        if path.name == "a.mp3":
            raise OSError(number, os.strerror(number))
        return opened(path)

    with monkeypatch.context() as broken:
        broken.setattr(watching, "_opened", refuse)
        assert [job.source_filename for job in looks(watch, 3)] == ["b.mp3"]
    assert [job.source_filename for job in looks(watch, 1)] == ["a.mp3"]


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(watch: Watch, folder: Path) -> None:
    put(folder, os.fsdecode(b"caf\xe9 \xf0\x9f\x8e\xa4.mp3"))
    (job,) = looks(watch)
    assert job.source_filename == "caf\N{REPLACEMENT CHARACTER} 🎤.mp3"


def finish(stage: Stage) -> None:
    stage.prepare(stage.run("speech"))
    stage.decode(stage.run("fetch"), 1)
    stage.hear(stage.run("speech"))
    stage.diarize(stage.run("speech"))
    stage.assemble(stage.run("deliver"))


def test_transcripts_are_written_when_they_are_done_even_after_a_restart(
    folder: Path, alice: User, stage: Stage
) -> None:
    orders = Orders(alice, formats=("txt", "srt"))
    put(folder)
    looks(Watch(folder, orders))
    assert list(Watch(folder, orders).write_back()) == []
    finish(stage)
    written = list(Watch(folder, orders).write_back())
    assert [path.name for path in written] == ["talk.txt", "talk.srt"]
    assert "window0" in (folder / "done" / "talk.txt").read_text()
    assert list(Watch(folder, orders).write_back()) == []


def test_a_transcript_does_not_replace_another_of_the_same_name(folder: Path, alice: User, stage: Stage) -> None:
    watch = Watch(folder, Orders(alice, formats=("txt",)))
    (folder / "done").mkdir()
    (folder / "done" / "talk.txt").write_text("mine")
    put(folder)
    (job,) = looks(watch)
    finish(stage)
    list(watch.write_back())
    assert names(folder / "done") == [f"talk ({job.pk}).txt", "talk.txt"]
    assert (folder / "done" / "talk.txt").read_text() == "mine"


def test_a_transcript_that_could_be_written_in_part_is_finished_later(
    folder: Path, alice: User, stage: Stage, monkeypatch: Any
) -> None:
    watch = Watch(folder, Orders(alice, formats=("txt", "srt")))
    put(folder)
    looks(watch)
    finish(stage)
    write, calls = watching._write_whole, []

    def second_fails(target: Path, content: bytes) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(target, content)

    with monkeypatch.context() as full:
        full.setattr(watching, "_write_whole", second_fails)
        list(watch.write_back())
    list(watch.write_back())
    assert names(folder / "done") == ["talk.srt", "talk.txt"]


def test_a_note_that_somebody_put_there_reads_no_job_of_anybody_else(
    folder: Path, alice: User, bob: User, stage: Stage
) -> None:
    watch = Watch(folder, Orders(alice, formats=("txt",)))
    secret = stage.completed(bob)
    (folder / "handed-in").mkdir()
    (folder / "handed-in" / f".x.mp3.{secret.pk}.job").write_text(str(secret.pk))
    assert list(watch.write_back()) == []
    assert not (folder / "done").exists()


@pytest.mark.parametrize("told", ["9" * 5000, "9" * 30, "-1", "1\x002", ""])
def test_a_note_that_says_no_number_stops_nothing(folder: Path, alice: User, told: str) -> None:
    (folder / "handed-in").mkdir()
    (folder / "handed-in" / ".x.mp3.1.job").write_text(told)
    os.mkfifo(folder / "handed-in" / ".pipe.job")
    assert list(Watch(folder, Orders(alice)).write_back()) == []


def test_names_that_are_as_long_as_they_can_be(folder: Path, alice: User, stage: Stage) -> None:
    watch = Watch(folder, Orders(alice, formats=("json",)))
    name = "å" * 125 + ".mp3"
    put(folder, name)
    assert len(looks(watch)) == 1
    finish(stage)
    (written,) = watch.write_back()
    assert written.name.endswith(".json")
    put(folder, name, SOUND + b"other")
    assert len(looks(watch)) == 1
    assert len(names(folder / "handed-in")) == 2


def test_the_reason_is_not_written_through_a_link(folder: Path, alice: User, monkeypatch: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (folder / "refused").mkdir()
    (folder / "refused" / "talk.mp3.txt").symlink_to(other)
    put(folder)
    monkeypatch.setattr(uploads, "limit", lambda: uploads.UploadLimit(0, 1000, 0))
    looks(Watch(folder, Orders(alice)))
    assert other.read_text() == "mine"
    assert "larger" in (folder / "refused" / "talk.mp3.txt").read_text()


def test_a_deleted_job_is_waited_for_no_more(watch: Watch, folder: Path) -> None:
    put(folder)
    (job,) = looks(watch)
    lifecycle.delete(job.pk)
    list(watch.write_back())
    assert not list((folder / "handed-in").glob(".*.job"))


def test_a_transcript_in_the_trash_is_written_when_it_comes_back(folder: Path, alice: User, stage: Stage) -> None:
    watch = Watch(folder, Orders(alice, formats=("txt",)))
    put(folder)
    (job,) = looks(watch)
    finish(stage)
    trash.discard(job.pk)
    assert list(watch.write_back()) == []
    trash.restore(job.pk)
    assert [path.name for path in watch.write_back()] == ["talk.txt"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"owner": "who@example.test"}, "There is no user who@example.test."),
        ({"owner": "nobody@example.test"}, "may not use the queue"),
        ({"model": "no-such"}, "There is no model no-such."),
        ({"language": "klingon"}, "klingon"),
        ({"write": "txt,doc"}, "There is no format doc."),
    ],
)
def test_wrong_orders_are_told_at_once(
    folder: Path, alice: User, nobody: User, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("watch", str(folder), **{"owner": alice.email, **options})


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, alice: User) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("watch", str(tmp_path / "nowhere"), owner=alice.email)


@pytest.mark.serve
def test_the_command_takes_files_and_ends_cleanly_when_it_is_told_to(tmp_path: Path, folder: Path) -> None:
    variables = environment(prepare(tmp_path / "data"), 1)
    manage = [sys.executable, "manage.py"]
    person = ["create_user", "ann@example.test", "--password", "Correct-horse-9", "--perm", "whisper.use"]
    subprocess.run([*manage, *person], cwd=ROOT, env=variables, check=True, capture_output=True)
    put(folder)
    command = [*manage, "watch", str(folder), "--owner", "ann@example.test", "--every", "0.2"]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as running:
        try:
            wait_until(lambda: names(folder / "handed-in") == ["talk.mp3"], "it is handed in", seconds=60)
            running.send_signal(signal.SIGTERM)
            assert running.communicate(timeout=20)[0] == "talk.mp3: job 1\n"
            assert running.returncode == 0
        finally:
            running.kill()
