"""One recording sent through the queue from the command line: what is asked for, a server to do it, how it is followed."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError
from tqdm import tqdm

from accounts.models import User
from config.env import Env
from config.preflight import Refusal, is_locked, lock
from config.serving import get_ready, work
from config.supervisor import die_with
from whisper_jobs import payloads, queries
from whisper_jobs.dialects.native.requests import SubmissionSerializer
from whisper_jobs.intake import Submission
from whisper_jobs.models import Job
from whisper_jobs.results import transcript_of
from whisper_jobs.speech.captions import PRESETS
from whisper_jobs.speech.formats import FORMATS, FormatOptions
from whisper_jobs.states import ACTIVE, Stage

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
POLL_SECONDS = 0.25
START_SECONDS = 60.0
SETTLE_SECONDS = 5.0
BAR = "{desc:<42}{percentage:3.0f}%|{bar}|{postfix}"


class Gone(Exception):
    """The job or the processes that do it ended from outside; the message says which."""


@dataclass(frozen=True)
class Order:
    """What the command line asked for. Paths are absolute."""

    source: str
    language: str
    model: str
    format: str
    options: FormatOptions
    output: Path | None
    timeout_seconds: float | None

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Order:
        folder: Path = options["folder"]
        source = options["source"]
        return cls(
            source=source if URL.match(source) else str((folder / Path(source).expanduser()).absolute()),
            language=options["language"],
            model=options["model"],
            format=options["format"],
            options=FormatOptions(
                speakers=options["speakers"], words=options["words"], rules=PRESETS[options["preset"]]
            ),
            output=options["output"] and (folder / options["output"].expanduser()).absolute(),
            timeout_seconds=options["timeout"],
        )

    def submission(self, owner: User) -> Submission:
        asked = Submission(owner=owner, language=self.language, model=self.model)
        if URL.match(self.source):
            return replace(asked, source_url=self.source)
        return replace(asked, media_file=self.file())

    def file(self) -> UploadedFile[Any]:
        path = Path(self.source)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return UploadedFile(path.open("rb"), name=path.name, content_type=kind, size=path.stat().st_size)


def check(order: Order) -> Order:
    """The order with its values as the queue wants them. Raises Refusal in the words of the API."""
    if order.output and not order.output.parent.is_dir():
        raise Refusal(f"There is no folder {order.output.parent} for the transcript.")
    if order.output is None and not FORMATS[order.format].is_text and sys.stdout.isatty():
        raise Refusal(f"A terminal can't show {order.format}. Name a file: -o OUT.")
    source: dict[str, Any] = {"source_url": order.source}
    if not URL.match(order.source):
        try:
            source = {"media_file": order.file()}
        except OSError as error:
            raise Refusal(f"{order.source} can't be read ({(error.strerror or str(error)).lower()}).") from error
    form = SubmissionSerializer(data={**source, "model": order.model, "language": order.language})
    valid = form.is_valid()
    if "media_file" in source:
        source["media_file"].close()
    if not valid:
        raise Refusal(" ".join(str(reason) for reasons in form.errors.values() for reason in reasons))
    return replace(order, model=form.validated_data["model"], language=form.validated_data["language"])


@dataclass
class Server:
    """The processes that do the work. `pid` is that of our own supervisor, 0 when a running server does it."""

    pid: int = 0

    def check(self) -> None:
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = 0
            raise Gone("The processes that transcribe have ended; their logs are in the data folder.")

    def stop(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
            self.pid = 0


@contextlib.contextmanager
def borrowed_server(env: Env) -> Iterator[Server]:
    """The server that runs on the data folder, else one without pages that ends with the block."""
    if is_locked(env):
        _wait_for_workers()
        yield Server()
        return
    held = lock(env)
    get_ready(env, lambda line: sys.stderr.write(f"{line}\n"))
    server = Server(_fork_server(env, held))
    # The lock is the other process's now.
    os.close(held)
    try:
        yield server
    finally:
        server.stop()


def _fork_server(env: Env, held: int) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        # Out of the terminal's group, so that Ctrl-C is answered by cancelling the job first.
        os.setsid()
        die_with(parent)
        work(env, held)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)


def _wait_for_workers() -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(DatabaseError):
            if all(queries.live_workers().values()):
                return
        time.sleep(POLL_SECONDS)
    raise Refusal("A server holds the data folder but its workers don't show up. Look at its output.")


def follow(job_id: int, timeout_seconds: float | None, server: Server) -> Job:
    """Shows how far the job is until it ends. Raises TimeoutError, and Gone when somebody deleted it."""
    deadline = time.monotonic() + timeout_seconds if timeout_seconds else float("inf")
    with _Progress() as progress:
        while True:
            job = Job.objects.filter(pk=job_id).first()
            if job is None:
                raise Gone("The job was deleted.")
            progress.show(job)
            if job.is_terminal:
                return job
            if time.monotonic() > deadline:
                raise TimeoutError
            server.check()
            time.sleep(POLL_SECONDS)


def settle(job_id: int) -> None:
    """Gives a cancelled job a moment to end, so that it does not look unfinished until the next start."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline and Job.objects.filter(pk=job_id, stage__in=ACTIVE).exists():
        time.sleep(POLL_SECONDS)


class _Progress:
    """A bar on a terminal; elsewhere a line whenever the stage changes or a tenth is done. Always on standard error."""

    def __enter__(self) -> _Progress:
        self._bar = tqdm(total=100, bar_format=BAR, leave=False, file=sys.stderr) if sys.stderr.isatty() else None
        self._told: tuple[str, int] = ("", 0)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, job: Job) -> None:
        label = str(Stage(job.stage).label)
        left = payloads.eta_seconds(job)
        eta = "" if not left else f"about {payloads.duration_human(left)} left"
        if self._bar is not None:
            self._bar.n = min(100.0, job.progress)
            self._bar.set_description_str(label, refresh=False)
            self._bar.set_postfix_str(eta)
            return
        now = (label, int(job.progress) // 10)
        if now != self._told:
            self._told = now
            sys.stderr.write(f"{label}, {job.progress:.0f} %{', ' if eta else ''}{eta}\n")


def write(job: Job, order: Order) -> None:
    """The transcript to the file that was asked for, or to standard output."""
    pieces = FORMATS[order.format].render(transcript_of(job), order.options)
    if order.output is None:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    try:
        with order.output.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise Refusal(f"{order.output} can't be written ({(error.strerror or str(error)).lower()}).") from error
