"""One live session: sound comes in, is on the disk at once, is read by the ears, and its words are told to who listens.

Everything that takes time, or touches the disk, is done in the session's own thread, one thing after the other; the event loop
only hands things over. It knows no engine and no connection.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from whisper_jobs.errors import JobError
from whisper_jobs.hearing import spool as spools
from whisper_jobs.hearing.mailbox import Mailbox
from whisper_jobs.hearing.opening import Opening
from whisper_jobs.hearing.spool import Head, Spool
from whisper_jobs.hearing.wire import Json
from whisper_jobs.media.streamed import Incoming
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.streaming.captioner import Captioner
from whisper_jobs.speech.streaming.heard import Delta, Heard, Work
from whisper_jobs.speech.streaming.turns import Turn, Turns
from whisper_jobs.speech.windows import Pcm

log = logging.getLogger(__name__)
T = TypeVar("T")

STREAM_FAILED, BAD_SOUND = "SCAIECHO_STREAM_FAILED", "SCAIECHO_DECODE_FAILED"
BACKEND_DOWN = "SCAIECHO_BACKEND_UNAVAILABLE"
DISK_FULL = "The server's disk is full. What was heard until now is kept."
NOT_STORED = "The sound could not be stored. What was heard until now is kept."
NO_ENGINE = "The words could not be read. What was heard is kept and becomes a recording."
#: Sound that is new before it is asked whether there is something to read.
ASK_SECONDS = 0.25
#: Behind by so much, and by several chunks, a session gets whole utterances only.
HURRIED_SECONDS = 10.0
#: Fed and not yet unpacked; beyond that the client has to wait.
MOST_UNPACKED_BYTES = 1 << 20
#: Sound that was not read yet is in memory: who sends it faster than time passes may be so far ahead.
MOST_AHEAD_SECONDS = 120.0
UNPACK_SECONDS = 0.1
#: An engine that fails is tried again after these pauses; then the session ends.
PAUSES = (0.0, 1.0, 4.0, 10.0)
#: At the end, words that are still out are waited for so long; other workers hear what is left then.
LAST_WORDS_SECONDS = 30.0


@dataclass(slots=True)
class End:
    """Why a session ends: `reason` is kept with it, `code` and `message` are an error for who listens, empty for none."""

    reason: str = ""
    code: str = ""
    message: str = ""


@dataclass(eq=False)
class Session:
    """`changed` is called when there may be something to read; `over` once, when the session has been asked to end."""

    opening: Opening
    head: Head
    folder: Path
    mailboxes: set[Mailbox]
    changed: Callable[[], None]
    over: Callable[[Session], None]
    has_room: Callable[[], bool] = lambda: True
    #: What to call whoever has this voice; None where speakers are not told apart.
    label: Callable[[Sequence[float]], str] | None = None
    #: Bytes as the client counts them.
    audio_bytes: int = 0
    #: Monotonic; None while somebody is connected.
    dropped_at: float | None = None
    heard_at: float = field(default_factory=time.monotonic)
    #: Since when it may have something to read; None when it has not.
    waiting_since: float | None = None
    ending: End | None = None
    #: As was asked for, else as was heard first.
    language: str = ""
    failures: int = 0
    #: Whose sound this is now, where it comes over a line.
    feeder: Mailbox | None = None
    _not_before: float = 0.0
    _unasked: int = 0
    #: The captioner is the thread's alone; this is what it said last.
    _lag: float = 0.0
    _seconds_read: float = 0.0
    _out: Work | None = None
    #: What came before it was asked to end is still taken in.
    _is_settling: bool = False
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self.id = self.opening.session_id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"session-{self.id}")
        self._settled = asyncio.Event()
        self._began_at = time.monotonic()
        self._unpacking: asyncio.Task[None] | None = None
        self._feeding: set[asyncio.Future[None]] = set()
        self.hints = self.opening.asked.hints

    async def begin(self) -> None:
        """Raises OSError, JobError."""
        await self._in_thread(self._begin)
        if self._incoming is not None and self._incoming.fileno() is not None:
            self._unpacking = asyncio.create_task(self._unpack())

    def _begin(self) -> None:
        self._spool = Spool.begin(self.folder, self.head)
        asked = self.opening.asked
        self._captioner = Captioner(chunk_seconds=self.opening.chunk_seconds, cutting=asked.cutting)
        self._turns = Turns(self._captioner, by_pauses=asked.by_pauses)
        packed = (self.opening.media_type, self.opening.sample_rate)
        self._incoming = Incoming(*packed) if self.opening.is_packed else None

    # --- sound comes in ---------------------------------------------------------------------------

    async def feed(self, pcm: Pcm) -> None:
        """16-bit mono samples at 16 kHz."""
        self.audio_bytes += 2 * len(pcm)
        await self._hear(lambda: pcm)

    def feed_soon(self, pcm: Pcm) -> None:
        """The same for who can't wait; what is handed over first is heard first."""
        task = asyncio.ensure_future(self.feed(pcm))
        self._feeding.add(task)
        task.add_done_callback(self._feeding.discard)

    async def feed_bytes(self, data: bytes) -> None:
        """Sound as the client sends it. Returns when the next may come."""
        assert self._incoming is not None
        incoming = self._incoming
        self.audio_bytes += len(data)
        await self._hear(lambda: incoming.feed(data))
        while not self.ending and (incoming.waiting_bytes > MOST_UNPACKED_BYTES or self._is_ahead):
            await asyncio.sleep(UNPACK_SECONDS / 2)

    @property
    def _is_ahead(self) -> bool:
        """A microphone never is, however late its words come."""
        passed = time.monotonic() - self._began_at
        return self.lag > MOST_AHEAD_SECONDS and self.seconds > passed + MOST_AHEAD_SECONDS

    async def _unpack(self) -> None:
        """Picks up what a child process has unpacked meanwhile."""
        assert self._incoming is not None
        incoming = self._incoming
        while not self.ending:
            await asyncio.sleep(UNPACK_SECONDS)
            await self._hear(lambda: incoming.feed(b""))

    async def _hear(self, unpacked: Callable[[], Pcm]) -> None:
        if self._is_settling:
            return
        try:
            samples, turns = await self._in_thread(lambda: self._take_in(unpacked()))
        except JobError as error:
            self.end(End(reason=error.message, code=BAD_SOUND, message=error.message))
        except OSError as error:
            self.end(_of_the_system(error))
        else:
            self._tell_turns(turns)
            self._unasked += samples
            if samples:
                self.heard_at = time.monotonic()
            if self._unasked >= ASK_SECONDS * spools.SAMPLE_RATE:
                self._unasked = 0
                self._ask()

    def _take_in(self, samples: Pcm) -> tuple[int, list[Turn]]:
        """On the disk first: what is not there was never heard."""
        if self._is_closed or not len(samples):
            return 0, []
        if not self.has_room():
            raise OSError(errno.ENOSPC, "no room on the disk")
        self._spool.add(samples)
        turns = self._turns.feed(samples)
        self._lag = round(self._captioner.lag, 2)
        return len(samples), turns

    # --- turns ------------------------------------------------------------------------------------

    async def flush(self) -> None:
        """The turn ends with what was fed: its words are read to the end and told, and more may come."""
        if self._has_turns:
            self._tell_turns(await self._in_thread(self._turns.flush))
            self._ask()

    async def clear(self) -> None:
        """What was fed since the last turn ended is silence, as if nobody had heard it."""
        if self._has_turns:
            try:
                self._tell_turns([await self._in_thread(self._cleared)])
            except OSError as error:
                self.end(_of_the_system(error))

    @property
    def _has_turns(self) -> bool:
        return self.opening.asked.tells_turns and not self._is_settling

    def _cleared(self) -> Turn:
        turn = self._turns.clear()
        self._spool.silence(turn.start)
        self._lag = round(self._captioner.lag, 2)
        return turn

    def _tell_turns(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            self.tell({"type": "turn", **asdict(turn)})

    # --- words come out ---------------------------------------------------------------------------

    @property
    def lag(self) -> float:
        """Seconds of speech that no words tell of yet."""
        return self._lag

    @property
    def seconds(self) -> float:
        """All sound that came."""
        return self._spool.seconds

    @property
    def seconds_read(self) -> float:
        """Of stretches whose words are final, as they will be charged."""
        return self._seconds_read

    @property
    def is_due(self) -> bool:
        return self.waiting_since is not None and self._out is None and time.monotonic() >= self._not_before

    async def next_work(self) -> Work | None:
        """What is to be read now. Whoever gets it gives it back by `take` or `give_up`."""
        self.waiting_since = None
        if self._out is not None or self._is_closed:
            return None
        hurried = self.lag > max(HURRIED_SECONDS, 3 * self.opening.chunk_seconds)
        work = await self._in_thread(lambda: self._captioner.work(hurried=hurried))
        # None for a second ear that asked meanwhile.
        self._out = self._out if work is None else work
        return work

    async def take(self, work: Work, result: Result, voice: Sequence[float] | None = None) -> None:
        """What an ear has read, and for final work perhaps the vector of who says it."""
        if self._is_closed:
            # Too late; the thread is busy with the recording, or gone.
            return
        speaker = self.label(voice) if self.label and voice else ""
        try:
            heard, settled = await self._in_thread(lambda: self._taken(work, result, speaker))
        except OSError as error:
            self._out = None
            self.end(_of_the_system(error))
            return
        self._out, self.failures = None, 0
        if work.is_final and result.language and not self.language and result.segments:
            self.language = result.language
        for delta in heard.deltas:
            self.tell(self._told(delta, speaker))
        self._tell_turns(settled)
        self._look_whether_settled()
        self._ask()

    def _taken(self, work: Work, result: Result, speaker: str) -> tuple[Heard, list[Turn]]:
        if self._is_closed:
            return Heard(), []
        heard = self._captioner.take(work, result)
        self._lag = round(self._captioner.lag, 2)
        for delta in heard.deltas:
            if delta.is_final:
                self._spool.keep_final(self._told(delta, speaker))
        if heard.window:
            self._spool.close_window(heard.window)
            self._seconds_read += heard.window.end - heard.window.start
        return heard, self._turns.settled()

    async def give_up(self, work: Work, error: JobError | None = None) -> None:
        """The ear died (`error` is None), or its engine failed."""
        if self._is_closed:
            return
        await self._in_thread(lambda: self._captioner.give_up(work))
        self._out, self.failures = None, self.failures + 1
        if self.failures > len(PAUSES) - 1 and not self.ending:
            code = BACKEND_DOWN if error and error.code == "backend_unavailable" else STREAM_FAILED
            self.end(End(reason=NO_ENGINE, code=code, message=error.message if error else NO_ENGINE))
        self._not_before = time.monotonic() + PAUSES[min(self.failures, len(PAUSES) - 1)]
        self._ask()

    def _told(self, delta: Delta, speaker: str) -> Json:
        told: Json = {"type": "delta", "text": delta.text, "is_final": delta.is_final}
        times = {"start": round(delta.start, 3), "end": round(delta.end, 3), "confidence": round(delta.confidence, 4)}
        told |= {**times, "lag_seconds": self.lag}
        return {**told, "speaker_label": speaker} if speaker and delta.is_final else told

    def _ask(self) -> None:
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()
        self.changed()

    # --- who listens ------------------------------------------------------------------------------

    def tell(self, message: Json) -> None:
        for mailbox in self.mailboxes:
            mailbox.put(message)

    async def join(self, mailbox: Mailbox, first: Iterable[Json] = (), *, after: float | None = None) -> None:
        """From now on all words; before them `first`, and those that are final and end after this second."""
        missed = await self._in_thread(lambda: list(self._spool.finals(after))) if after is not None else []
        for message in (*first, *missed):
            mailbox.put(message)
        self.mailboxes.add(mailbox)

    def drop(self) -> None:
        """The client is gone, and may come back."""
        if self.dropped_at is None:
            self.dropped_at = time.monotonic()

    def pick_up(self) -> None:
        """The client is back."""
        self.dropped_at, self.heard_at = None, time.monotonic()

    # --- the end ----------------------------------------------------------------------------------

    def end(self, end: End | None = None) -> None:
        """No more sound is taken; what was heard becomes a recording. Returns at once; the first reason stays."""
        if self.ending is None:
            self.ending = end or End()
            self.over(self)

    async def settle(self) -> None:
        """Waits for the last words, for so long as that may take, and lets go of everything but the folder."""
        self._is_settling = True
        try:
            self._tell_turns(await self._in_thread(self._finish))
            self._look_whether_settled()
            self._ask()
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._settled.wait()
        except TimeoutError:
            log.info("session %s ends before its last words are read; workers will hear them", self.id)
        except OSError:
            log.exception("the last sound of session %s could not be stored", self.id)
        await self._in_thread(self._close)

    async def let_go(self) -> None:
        """The process ends: what is on the disk is all there is. A session that is settling already goes on with that."""
        if not self._is_settling:
            self._is_settling = True
            await self.finally_do(self._close)

    def _look_whether_settled(self) -> None:
        if self.ending and self._captioner.is_done:
            self._settled.set()

    def _finish(self) -> list[Turn]:
        turns: list[Turn] = []
        if self._incoming is not None:
            try:
                _samples, turns = self._take_in(self._incoming.finish())
            except JobError as error:
                log.info("the end of the sound of session %s could not be read: %s", self.id, error)
        return [*turns, *self._turns.finish()]

    def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._incoming is not None:
            self._incoming.close()
        if self._captioner.is_done:
            self._spool.all_heard()
        self._spool.close()

    async def finally_do(self, work: Callable[..., T], *args: Any) -> T:
        """The last thing that is done in the session's thread."""
        if self._unpacking:
            self._unpacking.cancel()
        try:
            return await self._in_thread(lambda: work(*args))
        finally:
            self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _of_the_system(error: OSError) -> End:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    log.log(logging.WARNING if is_full else logging.ERROR, "a session could not be stored", exc_info=error)
    sentence = DISK_FULL if is_full else NOT_STORED
    return End(reason=sentence, code=STREAM_FAILED, message=sentence)
