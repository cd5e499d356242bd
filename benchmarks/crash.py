"""Figure 5: kill -9 of random processes of a server at random moments while it transcribes; nothing is lost or doubled.

Recordings come in by link and by upload, also while parts of the server are down. The clockwork engine's words are checksums of
what it heard, so each transcript is compared word for word with that of the same file cut into windows in this process.

Recovery is counted from the kill: for a worker until its successor has shown itself and whatever step it held is claimed again;
for the web process until it answers; for the broker until the next claim anywhere; for beat until its successor runs.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil

from benchmarks.bare import floats, windows_of
from benchmarks.figure import Line, Options, at_most, exactly, told, wait_until
from benchmarks.server import Server
from benchmarks.sound import site, speech, write_wav
from tests.clockwork import heard
from whisper_jobs.speech.transcript import Segment

TITLE = "Crashes"
SEED = 2
MOST_SECONDS = 900.0
LOOK_SECONDS = 0.1
#: A broker is back when work is claimed again; nobody waits longer for that than this.
_WINDOWS = "SELECT start, text FROM whisper_segment WHERE job_id = ? ORDER BY start, id"


@dataclass(frozen=True)
class Plan:
    """`factor` is the engine's time per second of sound; kills are between 0.2 s and twice `pause` apart."""

    jobs: int = 20
    seconds: float = 150.0
    kills: int = 60
    pause: float = 3.0
    factor: float = 0.2
    workers: int = 2
    #: Windows that the engine takes at once.
    batch: int = 1
    seed: int = SEED


@dataclass
class Kill:
    """A process that was killed, the runs that it held, and when its work was going on again."""

    name: str
    pid: int
    at: float
    wall: str
    held: dict[int, str]
    seconds: float | None = None
    was_busy: bool = True


@dataclass
class Outcome:
    """What a rehearsal found out. `wrong` names jobs whose words are not exactly those of their recording."""

    kills: list[Kill]
    jobs: int
    windows: int
    not_completed: list[str]
    wrong: list[str]
    again: int
    most_again: int
    again_without_kill: int
    standstill: float
    losses: dict[str, int] = field(default_factory=dict)

    @property
    def slowest(self) -> float:
        """Infinite when something never came back."""
        return max(float("inf") if kill.seconds is None else kill.seconds for kill in self.kills)


def measure(options: Options) -> list[Line]:
    plan = Plan(jobs=4, seconds=60, kills=8, pause=2.0, factor=0.35) if options.quick else Plan()
    found = rehearse(options.folder, plan, options.audio)
    times = [kill.seconds for kill in found.kills if kill.seconds is not None]
    names = Counter(kill.name for kill in found.kills)
    return [
        exactly("jobs that completed", plan.jobs, found.jobs - len(found.not_completed)),
        exactly("jobs with a word lost or doubled", 0, len(found.wrong), spread=f"{found.windows} windows compared"),
        at_most("windows done again, the most after one kill", 1, [found.most_again], spread=f"{found.again} in all"),
        exactly("windows done again without a kill", 0, found.again_without_kill),
        at_most("slowest recovery", 15, [found.slowest], spread=f"median {statistics.median(times):.1f} s", unit=" s"),
        exactly("kills while work was going on", plan.kills, sum(kill.was_busy for kill in found.kills)),
        told("kills", ", ".join(f"{name} {count}" for name, count in sorted(names.items()))),
        told("slowest recovery by part, seconds", _by_part(found.kills)),
        told("longest time in which no window began, seconds", f"{found.standstill:.1f}"),
        told("runs lost", ", ".join(f"{kind} {count}" for kind, count in sorted(found.losses.items()))),
    ]


def _by_part(kills: list[Kill]) -> str:
    names = sorted({kill.name for kill in kills})
    slowest = {name: max(kill.seconds or 0.0 for kill in kills if kill.name == name) for name in names}
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in slowest.items())


def rehearse(folder: Path, plan: Plan, audio: Path | None = None) -> Outcome:
    """Runs the plan on a server of its own. Raises TimeoutError when the jobs don't come to an end."""
    files = folder / "site"
    files.mkdir()
    expected = {f"crash-{place}": _recording(files, place, plan, audio) for place in range(plan.jobs)}
    log = folder / "engine.log"
    variables = {"CLOCKWORK_FACTOR": str(plan.factor), "CLOCKWORK_LOG": str(log)}
    with (
        site(files) as address,
        Server(
            folder / "data", TOOLS_SPEECH_WORKERS=str(plan.workers), TOOLS_BATCH_SIZE=str(plan.batch), **variables
        ) as server,
    ):
        hand_in = threading.Thread(target=_hand_in, args=(server, files, address, list(expected)), daemon=True)
        hand_in.start()
        wait_until(lambda: log.exists(), "the first window", seconds=120)
        kills = _Killer(server, plan).run()
        hand_in.join(MOST_SECONDS)
        wait_until(lambda: _is_over(server, plan), "all jobs have ended", seconds=MOST_SECONDS, every=0.5)
        return _look(server, expected, kills, log)


def _recording(files: Path, place: int, plan: Plan, audio: Path | None) -> list[Segment]:
    """Writes a recording that no other resembles; what a clockwork hears in it."""
    samples = speech(audio, plan.seconds, skip=place * 47.3)
    # The last bit is noise, so that no two windows anywhere have the same checksum.
    noise = np.random.default_rng(place).integers(0, 2, len(samples), dtype=np.int16)
    file = write_wav(files / f"crash-{place}.wav", (samples & ~1) | noise)
    return [heard(floats(window.samples)).shifted(window.start) for window in windows_of(file)]


def _hand_in(server: Server, files: Path, address: str, labels: list[str]) -> None:
    """Hands in all recordings, whatever happens to the web process meanwhile."""
    for place, label in enumerate(labels):
        while not server.rows("SELECT 1 FROM whisper_job WHERE source_label = ?", label):
            with contextlib.suppress(OSError, http.client.HTTPException, RuntimeError):
                fields = {"model": "clockwork", "source_label": label}
                if place % 2:
                    server.admin.submit_url(f"{address}/{label}.wav", **fields)
                else:
                    server.admin.submit_file(files / f"{label}.wav", **fields)
            time.sleep(0.3)


def _unfinished(server: Server) -> int:
    return int(server.rows("SELECT count(*) FROM whisper_job WHERE stage NOT IN ('completed', 'failed')")[0][0])


def _is_over(server: Server, plan: Plan) -> bool:
    jobs = int(server.rows("SELECT count(*) FROM whisper_job")[0][0])
    return jobs >= plan.jobs and _unfinished(server) == 0


class _Killer:
    """Kills, and watches each part come back."""

    def __init__(self, server: Server, plan: Plan) -> None:
        self._server, self._plan = server, plan
        self._random = random.Random(plan.seed)
        self._turn: list[str] = []
        self._kills: list[Kill] = []

    def run(self) -> list[Kill]:
        due = time.monotonic()
        while len(self._kills) < self._plan.kills:
            due += self._random.uniform(0.2, 2 * self._plan.pause)
            self._watch(due)
            self._kill()
        self._watch(time.monotonic() + 60.0, until_all_are_back=True)
        return self._kills

    def _watch(self, until: float, *, until_all_are_back: bool = False) -> None:
        while time.monotonic() < until:
            waiting = [kill for kill in self._kills if kill.seconds is None]
            for kill in waiting:
                if self._is_back(kill):
                    kill.seconds = time.monotonic() - kill.at
            if until_all_are_back and not waiting:
                return
            time.sleep(max(0.0, min(LOOK_SECONDS, until - time.monotonic())))

    def _kill(self) -> None:
        pids = self._server.pids()
        if not self._turn:
            # Every part once, in any order, before one has its turn again.
            self._turn = self._random.sample(sorted(pids), len(pids))
        name = self._turn[-1]
        pid = pids.get(name, 0)
        held = dict(
            self._server.rows(
                "SELECT id, run_id FROM whisper_step WHERE state = 'running' AND worker LIKE ?", f"%:{pid}:%"
            )
        )
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            # Nothing but a child of this very server is ever killed.
            if process.ppid() == self._server.process.pid:
                wall = self._server.rows("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")[0][0]
                os.kill(pid, signal.SIGKILL)
                busy = _unfinished(self._server) > 0
                self._kills.append(Kill(name, pid, time.monotonic(), wall, held, was_busy=busy))
                self._turn.pop()

    def _is_back(self, kill: Kill) -> bool:
        if kill.name == "web":
            return self._server.is_up()
        if kill.name == "redis":
            claimed = self._server.rows("SELECT 1 FROM whisper_step WHERE started_at > ? LIMIT 1", kill.wall)
            return bool(claimed) or _unfinished(self._server) == 0
        now = self._server.pids().get(kill.name, kill.pid)
        if now == kill.pid or not psutil.pid_exists(now):
            return False
        # These have no lane, and hold no step.
        is_apart = kill.name.startswith(("beat", "live"))
        return is_apart or (self._has_shown_itself(now) and self._is_resumed(kill))

    def _has_shown_itself(self, pid: int) -> bool:
        return bool(self._server.rows("SELECT 1 FROM whisper_worker WHERE pid = ?", pid))

    def _is_resumed(self, kill: Kill) -> bool:
        """Whether every step that the process held runs in other hands, or is done."""
        marks = ",".join("?" * len(kill.held))
        rows = self._server.rows(f"SELECT id, run_id, state FROM whisper_step WHERE id IN ({marks})", *kill.held)
        return all(state == "done" or (run and run != kill.held[step]) for step, run, state in rows)


def _look(server: Server, expected: dict[str, list[Segment]], kills: list[Kill], log: Path) -> Outcome:
    jobs = server.rows("SELECT id, source_label, stage FROM whisper_job ORDER BY id")
    losses = server.rows("SELECT kind, sum(losses) FROM whisper_step GROUP BY kind HAVING sum(losses) > 0")
    again = _done_again(log, kills)
    return Outcome(
        kills=kills,
        jobs=len(jobs),
        windows=sum(len(segments) for segments in expected.values()),
        not_completed=[label for _, label, stage in jobs if stage != "completed"],
        wrong=[label for job, label, _ in jobs if not _is_exact(server, job, expected[label])],
        again=sum(again.values()),
        most_again=max((count for pid, count in again.items() if pid), default=0),
        again_without_kill=again[0],
        standstill=_standstill(log),
        losses=dict(losses),
    )


def _is_exact(server: Server, job: int, expected: list[Segment]) -> bool:
    """By the words alone: segments may be divided where the speaker changes."""
    words = [word for segment in expected for word in segment.text.split()]
    stored = " ".join(text for _start, text in server.rows(_WINDOWS, job)).split()
    [[text]] = server.rows("SELECT text FROM whisper_transcript WHERE job_id = ?", job)
    return stored == words == str(text).split()


def _done_again(log: Path, kills: list[Kill]) -> Counter[int]:
    """How many windows had to be begun anew after each killed process had begun them; under 0 those of processes that lived."""
    begun: dict[str, list[int]] = {}
    for what, pid, window, _ in _entries(log):
        if what == "begin":
            begun.setdefault(window, []).append(int(pid))
    killed = {kill.pid for kill in kills}
    return Counter(pid if pid in killed else 0 for pids in begun.values() for pid in pids[:-1])


def _standstill(log: Path) -> float:
    begins = [float(at) for what, _, _, at in _entries(log) if what == "begin"]
    return max((later - earlier for earlier, later in pairwise(begins)), default=0.0)


def _entries(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()]
