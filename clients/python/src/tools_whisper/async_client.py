"""The client for programs with asyncio: the same flows, another driver."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar, Unpack

import httpx2

from tools_whisper import calls, flows, transport
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


class AsyncClient:
    """As Client, which says what each method does; without `watch`. Files are read and written in the loop, piece by piece."""

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
        self._http = httpx2.AsyncClient(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def submit(
        self,
        source: str | Path,
        *,
        idempotency_key: str = "",
        sandbox: str = "",
        on_sent: Sent = _silent,
        **options: Unpack[Options],
    ) -> Job:
        key = idempotency_key or calls.new_key()
        handing = Handing(source, {**options}, key, sandbox, self.place.root, self._notes)
        return await self._run(flows.submit(handing, on_sent, self._retries))

    async def job(self, job_id: int) -> Job:
        return await self._run(flows.job(calls.job(job_id), self._retries))

    async def jobs(self, *, status: str = "", q: str = "", limit: int = 50, cursor: int | None = None) -> Page:
        return await self._run(flows.page(calls.jobs(status=status, q=q, limit=limit, cursor=cursor), self._retries))

    async def wait(self, job_id: int, *, on_progress: flows.Told = _silent, timeout: float | None = None) -> Job:
        return await self._run(flows.wait(job_id, on_progress, timeout, self._retries))

    async def segments(self, job_id: int, *, since: int = 0, language: str = "") -> list[Segment]:
        return await self._run(flows.segments(job_id, since=since, language=language, retries=self._retries))

    async def export(self, job_id: int, form: str, target: Path | IO[bytes], **options: Any) -> None:
        await self._run(flows.export(job_id, form, target, options, self._retries))

    async def share(self, job_id: int, **options: Any) -> Share:
        return await self._run(flows.share(calls.share(job_id, options), self._retries))

    async def unshare(self, job_id: int) -> None:
        await self._run(flows.done(calls.unshare(job_id), self._retries))

    async def cancel(self, job_id: int) -> Job:
        return await self._run(flows.job(calls.act(job_id, "cancel"), self._retries))

    async def restart(self, job_id: int) -> Job:
        return await self._run(flows.job(calls.act(job_id, "restart"), self._retries))

    async def delete(self, job_id: int) -> None:
        await self._run(flows.done(calls.delete(job_id), self._retries))

    async def status(self) -> dict[str, Any]:
        return await self._run(flows.status(self._retries))

    async def _run(self, flow: Flow[T]) -> T:
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(await self._done(wanted))
        except StopIteration as end:
            found: T = end.value
            return found
        finally:
            flow.close()

    async def _done(self, wanted: Call | Pause) -> Answer:
        if isinstance(wanted, Pause):
            await asyncio.sleep(wanted.seconds)
            return Answer()
        try:
            async with self._http.stream(**self.place.request(wanted)) as response:
                into = transport.target(wanted, response)
                if into is None:
                    return transport.answer(response, await response.aread())
                async for piece in response.aiter_bytes():
                    into.write(piece)
                return transport.answer(response, b"")
        except httpx2.TransportError as error:
            return transport.lost(error)
