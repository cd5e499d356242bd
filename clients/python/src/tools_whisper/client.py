"""The client for programs without asyncio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar, Unpack

import httpx2

from tools_whisper import calls, flows, transport, watching
from tools_whisper.calls import Options
from tools_whisper.flows import Handing
from tools_whisper.retries import Retries
from tools_whisper.shapes import Job, Page, Segment, Share
from tools_whisper.transport import Place
from tools_whisper.uploading import Sent
from tools_whisper.wire import Answer, Call, Flow, Pause

T = TypeVar("T")


def _silent(*_told: object) -> None:
    pass


class Client:
    """`token` is a personal token of the Whisper API. Errors are ToolsWhisperError; see Retries for what is tried again.

    With `uploads`, a folder, an upload that has begun is noted there, and goes on in another process after a crash.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        retries: Retries | None = None,
        timeout: float = 60.0,
        uploads: Path | None = None,
    ) -> None:
        self.place = Place(base_url, token)
        self._retries, self._notes = retries or Retries(), uploads
        self._http = httpx2.Client(timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def submit(
        self,
        source: str | Path,
        *,
        idempotency_key: str = "",
        sandbox: str = "",
        on_sent: Sent = _silent,
        **options: Unpack[Options],
    ) -> Job:
        """Hands in an address or a file. With a key of your own the same may be handed in again, after a crash: it makes one job.

        `sandbox` is what a token of the sandbox plays, such as "finish_in=3; error=no_speech".
        """
        key = idempotency_key or calls.new_key()
        handing = Handing(source, {**options}, key, sandbox, self.place.root, self._notes)
        return self._run(flows.submit(handing, on_sent, self._retries))

    def job(self, job_id: int) -> Job:
        return self._run(flows.job(calls.job(job_id), self._retries))

    def jobs(self, *, status: str = "", q: str = "", limit: int = 50, cursor: int | None = None) -> Page:
        """Newest first. `cursor` is the `next` of the page before."""
        return self._run(flows.page(calls.jobs(status=status, q=q, limit=limit, cursor=cursor), self._retries))

    def wait(self, job_id: int, *, on_progress: flows.Told = _silent, timeout: float | None = None) -> Job:
        """Asks now and then until the job has ended. Raises JobFailed, and TimeoutError: the job goes on then."""
        return self._run(flows.wait(job_id, on_progress, timeout, self._retries))

    def watch(self, job_id: int) -> Iterator[watching.Change | watching.Heard]:
        """What happens to the job, as it happens, until it has ended. Goes on by asking where no socket can be had."""
        return watching.watch(self.place, self, job_id)

    def segments(self, job_id: int, *, since: int = 0, language: str = "") -> list[Segment]:
        """`since`: only those of later revisions; `language`: of a translation."""
        return self._run(flows.segments(job_id, since=since, language=language, retries=self._retries))

    def export(self, job_id: int, form: str, target: Path | IO[bytes], **options: Any) -> None:
        """Writes the transcript as a file of this format. `options` are parameters of exports, such as language or preset."""
        self._run(flows.export(job_id, form, target, options, self._retries))

    def share(self, job_id: int, **options: Any) -> Share:
        """`options`: expires_in_days, passcode, allow_audio, show_analysis, new_link."""
        return self._run(flows.share(calls.share(job_id, options), self._retries))

    def unshare(self, job_id: int) -> None:
        self._run(flows.done(calls.unshare(job_id), self._retries))

    def cancel(self, job_id: int) -> Job:
        return self._run(flows.job(calls.act(job_id, "cancel"), self._retries))

    def restart(self, job_id: int) -> Job:
        return self._run(flows.job(calls.act(job_id, "restart"), self._retries))

    def delete(self, job_id: int) -> None:
        self._run(flows.done(calls.delete(job_id), self._retries))

    def status(self) -> dict[str, Any]:
        """Counters of the queue and limits, as the server tells them."""
        return self._run(flows.status(self._retries))

    def _run(self, flow: Flow[T]) -> T:
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(self._done(wanted))
        except StopIteration as end:
            found: T = end.value
            return found
        finally:
            flow.close()

    def _done(self, wanted: Call | Pause) -> Answer:
        if isinstance(wanted, Pause):
            time.sleep(wanted.seconds)
            return Answer()
        try:
            with self._http.stream(**self.place.request(wanted)) as response:
                into = transport.target(wanted, response)
                if into is None:
                    return transport.answer(response, response.read())
                for piece in response.iter_bytes():
                    into.write(piece)
                return transport.answer(response, b"")
        except httpx2.TransportError as error:
            return transport.lost(error)
