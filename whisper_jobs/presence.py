"""Which worker processes are up. A process that is gone from this host is known to be dead at once, not after its lease."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from django.utils import timezone

from whisper_jobs.models import Worker

#: A worker that was silent this long is no more, wherever it was; what it held was taken over long before.
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Process:
    """This process as others see it; `host` is where its pid means something."""

    host: str
    pid: int
    born: float

    @property
    def name(self) -> str:
        return f"{self.host.split('/')[0]}:{self.pid}:{int(self.born)}"


def here() -> str:
    """Host, boot and pid namespace: a container that shares a host's name doesn't share its pids."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    parts = [socket.gethostname()]
    parts.append(boot.read_text().strip() if boot.exists() else "")
    parts.append(os.readlink(namespace) if namespace.exists() else "")
    return "/".join(parts)


def me() -> Process:
    return Process(here(), os.getpid(), psutil.Process().create_time())


def seen(process: Process, lanes: Iterable[str]) -> None:
    """A sign of life in each lane that the process works."""
    now = timezone.now()
    for lane in lanes:
        Worker.objects.update_or_create(
            name=f"{process.name}/{lane}",
            defaults={
                "lane": lane,
                "host": process.host,
                "pid": process.pid,
                "born": process.born,
                "seen_at": now,
            },
        )


def gone(process: str) -> None:
    """Forgets a worker process by its name."""
    Worker.objects.filter(name__startswith=f"{process}/").delete()


def forget_silent() -> None:
    """Removes workers of hosts that are no more, such as containers: nobody is left there to call them dead."""
    Worker.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()


def dead_here() -> set[str]:
    """Names of processes that were workers on this host and are no more."""
    mine = Worker.objects.filter(host=here())
    return {worker.name.rsplit("/", 1)[0] for worker in mine if not _lives(worker)}


def _lives(worker: Worker) -> bool:
    try:
        return bool(abs(psutil.Process(worker.pid).create_time() - worker.born) < 1.0)
    except psutil.NoSuchProcess:
        return False
