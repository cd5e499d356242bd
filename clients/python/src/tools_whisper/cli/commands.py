"""The verbs but `live`: each asks the client and prints. What goes wrong is told by `main`."""

from __future__ import annotations

import getpass
import io
import os
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools_whisper.cli import screen, settings
from tools_whisper.cli.settings import Settings
from tools_whisper.client import Client
from tools_whisper.errors import JobFailed, ToolsWhisperError
from tools_whisper.flows import is_address
from tools_whisper.retries import Retries
from tools_whisper.shapes import Job, Segment
from tools_whisper.watching import Change

#: Options of `submit` that are fields of the API.
FIELDS = (
    "source_label",
    "source_note",
    "model",
    "language",
    "analysis_language",
    "translation_target_languages",
    "disable_diarization",
    "min_speakers",
    "max_speakers",
    "initial_prompt",
    "hotwords",
)
#: Who asks for one thing wants to know at once that the server is away; who waits for hours sits out its restart.
IMPATIENT, PATIENT = Retries(attempts=3), Retries(attempts=8)
#: Nobody is on the way to these.
NEAR = ("localhost", "127.0.0.1", "::1")
#: Formats that end otherwise than they are called.
ENDINGS = {"markdown": "md", "verbose_json": "json"}
OF_ENDINGS = {"md": "markdown"}


class Interrupted(KeyboardInterrupt):
    """By Ctrl-C, while a job goes on that can be waited for again."""

    def __init__(self, job_id: int) -> None:
        super().__init__()
        self.job_id = job_id


def client(retries: Retries = IMPATIENT) -> Client:
    known = settings.load()
    return Client(known.url, known.token, retries=retries)


def login(told: Namespace) -> int:
    url = told.url or input("Address of the server: ").strip()
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in NEAR:
        screen.note("This address begins with http: whoever is on the way there can read the token.")
    token = (getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    with Client(url, token, retries=IMPATIENT) as known:
        known.status()
    callback_url = told.callback_url
    if callback_url is None and sys.stdin.isatty():
        callback_url = input("Address to call back when a job has ended (may stay empty): ").strip()
    target = settings.store(Settings(url, token, callback_url or ""))
    screen.note(f"Signed in to {url}. Address and token are in {target}.")
    return 0


def submit(told: Namespace) -> int:
    known = settings.load()
    callback_url = told.callback_url or known.callback_url
    if not callback_url:
        raise ToolsWhisperError(
            "Where shall the server tell the end of the job? Say --callback-url, at `login` for all jobs,"
            " or set TOOLS_WHISPER_CALLBACK_URL."
        )
    _check(told)
    fields = {name: getattr(told, name) for name in FIELDS if getattr(told, name) is not None}
    with Client(known.url, known.token, retries=PATIENT, uploads=settings.uploads(os.environ)) as whisper:
        jobs = [_submitted(whisper, told, source, {**fields, "callback_url": callback_url}) for source in told.sources]
        return _awaited_all(whisper, told, jobs) if told.wait else 0


def _awaited_all(whisper: Client, told: Namespace, jobs: list[Job]) -> int:
    """One that fails keeps nobody from the others."""
    status = 0
    for job in jobs:
        try:
            _awaited(whisper, told, job.id, alone=len(jobs) == 1)
        except JobFailed as failed:
            screen.note(f"Job {job.id}: {failed}")
            status = 1
    return status


def _check(told: Namespace) -> None:
    """Before anything is handed in: what would be refused in the middle."""
    missing = [one for one in told.sources if not is_address(one) and not Path(one).is_file()]
    if missing:
        raise ToolsWhisperError(f"There is no file {missing[0]}.")
    if len(told.sources) > 1 and told.key:
        raise ToolsWhisperError("A key names one recording; hand in one at a time.")
    if len(told.sources) > 1 and told.output and not told.output.is_dir():
        raise ToolsWhisperError("For several recordings, -o is a folder that is there.")


def _submitted(whisper: Client, told: Namespace, source: str, fields: dict[str, Any]) -> Job:
    progress = screen.Progress(is_quiet=told.json)
    name = source if is_address(source) else Path(source).name
    try:
        job = whisper.submit(
            source,
            idempotency_key=told.key,
            sandbox=told.sandbox,
            on_sent=lambda done, size: progress.sent(name, done, size),
            **fields,
        )
    finally:
        progress.done()
    if told.wait:
        screen.note(f"Job {job.id} is handed in.")
    else:
        screen.as_json(job.raw) if told.json else screen.result(str(job.id))
    return job


def wait(told: Namespace) -> int:
    with client(PATIENT) as whisper:
        _awaited(whisper, told, told.id)
    return 0


def _awaited(whisper: Client, told: Namespace, job_id: int, *, alone: bool = True) -> None:
    progress = screen.Progress(is_quiet=told.json)
    try:
        job = whisper.wait(job_id, on_progress=progress.job)
    except KeyboardInterrupt:
        raise Interrupted(job_id) from None
    finally:
        progress.done()
    if told.json and not told.output:
        screen.as_json(job.raw)
    else:
        _write(whisper, told, job_id, alone=alone)


def watch(told: Namespace) -> int:
    with client(PATIENT) as whisper:
        try:
            for event in whisper.watch(told.id):
                if told.json:
                    screen.as_json({"job": dict(event.job.raw)} if isinstance(event, Change) else asdict(event))
                elif not isinstance(event, Change):
                    for segment in sorted(event.segments, key=lambda one: one.start):
                        screen.result(_line(segment))
        except KeyboardInterrupt:
            raise Interrupted(told.id) from None
        return 0 if whisper.wait(told.id).is_completed else 1


def _line(segment: Segment) -> str:
    who = f"{segment.speaker}: " if segment.speaker else ""
    return f"[{screen.clock(segment.start)}] {who}{segment.text}"


def export(told: Namespace) -> int:
    with client() as whisper:
        _write(whisper, told, told.id, **({"language": told.language} if told.language else {}))
    return 0


def _write(whisper: Client, told: Namespace, job_id: int, *, alone: bool = True, **options: Any) -> None:
    form = told.format or _form_of(told.output)
    if told.output is None:
        whole = io.BytesIO()
        whisper.export(job_id, form, whole, **options)
        sys.stdout.buffer.write(whole.getvalue())
        sys.stdout.buffer.flush()
        return
    ending = ENDINGS.get(form, form)
    is_folder = told.output.is_dir() or not alone
    target = told.output / f"transcript-{job_id}.{ending}" if is_folder else told.output
    whisper.export(job_id, form, target, **options)
    screen.note(f"{target} is written.")


def _form_of(output: Path | None) -> str:
    ending = output.suffix.lower().removeprefix(".") if output else ""
    return OF_ENDINGS.get(ending, ending) or "txt"


def share(told: Namespace) -> int:
    with client() as whisper:
        if told.revoke:
            whisper.unshare(told.id)
            screen.note("The link is revoked.")
            return 0
        days = {"expires_in_days": told.days} if told.days else {}
        made = whisper.share(told.id, **days, **({"new_link": True} if told.new_link else {}))
    screen.as_json({"url": made.url}) if told.json else screen.result(made.url)
    return 0


def listed(told: Namespace) -> int:
    left, cursor = told.limit, None
    with client() as whisper:
        while left > 0:
            page = whisper.jobs(status=told.status, q=told.search, limit=min(left, 200), cursor=cursor)
            for job in page.jobs:
                _tell(told, job)
            left, cursor = left - len(page.jobs), page.next
            if cursor is None:
                break
    return 0


def _tell(told: Namespace, job: Job) -> None:
    percent = "" if job.has_ended else f" {job.progress:.0f} %"
    title = " ".join(job.title.split())
    screen.as_json(job.raw) if told.json else screen.result(f"{job.id}\t{job.status}{percent}\t{title}")


def show(told: Namespace) -> int:
    with client() as whisper:
        job = whisper.job(told.id)
    _tell(told, job)
    if job.failure_error and not told.json:
        screen.note(job.failure_error)
    return 0


def cancel(told: Namespace) -> int:
    with client() as whisper:
        _tell(told, whisper.cancel(told.id))
    return 0


def restart(told: Namespace) -> int:
    with client() as whisper:
        _tell(told, whisper.restart(told.id))
    return 0


def delete(told: Namespace) -> int:
    with client() as whisper:
        whisper.delete(told.id)
    screen.note(f"Job {told.id} is deleted.")
    return 0
