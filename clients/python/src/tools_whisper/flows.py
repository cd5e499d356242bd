"""What a client does, in calls and pauses: asking with retries, handing in, waiting, downloading."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tools_whisper import calls
from tools_whisper.begun import note_of
from tools_whisper.errors import JobFailed, ToolsWhisperError, Unreachable, of_answer
from tools_whisper.retries import Retries
from tools_whisper.shapes import Job, Page, Segment, Share
from tools_whisper.uploading import Sent, upload
from tools_whisper.wire import Answer, Call, Flow, Json, Pause

#: Between two looks at a job: grows from the one to the other.
FIRST_LOOK, LONGEST_LOOK = 0.5, 10.0
Told = Callable[[Job], object]


def asked(call: Call, retries: Retries) -> Flow[Answer]:
    """A good answer. Raises ApiError for a refusal, Unreachable when none came."""
    attempt = 1
    while True:
        answer = yield call
        pause = retries.pause(call, answer, attempt)
        if pause is None:
            break
        yield Pause(pause)
        attempt += 1
    if answer.lost is not None:
        raise Unreachable(f"The server gave no answer: {answer.lost}") from answer.lost
    if not 200 <= answer.status < 300:
        raise of_answer(answer)
    return answer


def told(call: Call, retries: Retries, name: str) -> Flow[Json]:
    """An answer that has something of this name."""
    answer = yield from asked(call, retries)
    found = answer.json()
    if name not in found:
        raise ToolsWhisperError("What answers at this address is no Tools Whisper server.")
    return found


def job(call: Call, retries: Retries) -> Flow[Job]:
    return Job.of((yield from told(call, retries, "job"))["job"])


def page(call: Call, retries: Retries) -> Flow[Page]:
    return Page.of((yield from told(call, retries, "jobs")))


def share(call: Call, retries: Retries) -> Flow[Share]:
    shared = (yield from job(call, retries)).share
    if shared is None:
        raise ToolsWhisperError("The server has not shared the transcript.")
    return shared


@dataclass(frozen=True, slots=True)
class Handing:
    """What is handed in, `source` being an address or a file, and how."""

    source: str | Path
    fields: Json
    key: str
    sandbox: str
    #: Which server, and where uploads that have begun are noted.
    server: str
    notes: Path | None


def submit(handing: Handing, sent: Sent, retries: Retries) -> Flow[Job]:
    """A file is uploaded first."""
    if is_address(handing.source):
        return (yield from _made(handing, {"source_url": str(handing.source)}, retries))
    path = Path(handing.source)
    with _opened(path) as file:
        note = note_of(handing.notes, handing.server, path)
        upload_id = yield from upload(file, path.name, note, sent, retries, asked)
    made = yield from _made(handing, {"upload_id": upload_id}, retries)
    note.forget()
    return made


def _made(handing: Handing, source: Json, retries: Retries) -> Flow[Job]:
    call = calls.submit({**handing.fields, **source}, key=handing.key, sandbox=handing.sandbox)
    return (yield from job(call, retries))


def is_address(source: str | Path) -> bool:
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ToolsWhisperError(f"{path} can't be read: {error.strerror}.") from error


def wait(job_id: int, told: Told, timeout: float | None, retries: Retries) -> Flow[Job]:
    """Until it has ended; `told` gets the job whenever it has changed. Raises JobFailed, and TimeoutError after so many seconds."""
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, revision = FIRST_LOOK, -1
    while True:
        found = yield from job(calls.job(job_id), retries)
        if found.revision != revision:
            revision = found.revision
            told(found)
        if found.has_ended:
            return _completed(found)
        if deadline is not None and time.monotonic() + pause > deadline:
            raise TimeoutError(f"Job {job_id} is still {found.status}; it goes on.")
        yield Pause(pause)
        pause = min(LONGEST_LOOK, pause * 1.3)


def _completed(found: Job) -> Job:
    if not found.is_completed:
        raise JobFailed(found)
    return found


def segments(job_id: int, *, since: int, language: str, retries: Retries) -> Flow[list[Segment]]:
    found: list[Segment] = []
    offset: int | None = 0
    while offset is not None:
        page = yield from told(
            calls.segments(job_id, since=since, offset=offset, language=language), retries, "segments"
        )
        found += [Segment.of(one) for one in page["segments"]]
        offset = page.get("next")
    return found


def export(job_id: int, form: str, target: Path | IO[bytes], options: Json, retries: Retries) -> Flow[None]:
    """A file appears when it is complete, in place of what was there."""
    with _appearing(target) if isinstance(target, Path) else contextlib.nullcontext(target) as file:
        yield from asked(calls.export(job_id, form, options, file), retries)


@contextlib.contextmanager
def _appearing(target: Path) -> Iterator[IO[bytes]]:
    try:
        file = tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:40]}-", delete=False)  # noqa: SIM115
    except OSError as error:
        raise ToolsWhisperError(f"Nothing can be written to {target.parent}: {error.strerror}.") from error
    try:
        with file:
            yield file
        os.chmod(file.name, 0o666 & ~_umask())
        os.replace(file.name, target)
    except BaseException:
        os.unlink(file.name)
        raise


def _umask() -> int:
    """There is no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def done(call: Call, retries: Retries) -> Flow[None]:
    yield from asked(call, retries)


def status(retries: Retries) -> Flow[dict[str, Any]]:
    return (yield from told(calls.status(), retries, "summary"))
