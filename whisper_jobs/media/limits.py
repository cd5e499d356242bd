"""What a child process for hostile material does to itself before it touches any: limits, no privileges, no network.

Called by the children alone, at the top of their main. Linux gets all of it, other systems what they have.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import sys
from dataclasses import dataclass
from typing import IO, Any

from whisper_jobs.errors import JobError

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Limits:
    """What the child may use. `file_bytes` caps each file it writes; with 0 it can write none."""

    memory_bytes: int
    cpu_seconds: int
    file_bytes: int
    open_files: int
    network: bool


def begin() -> tuple[dict[str, Any], IO[bytes]]:
    """Take the options from stdin and stdout for ourselves: no library may read the one or print into the other."""
    options: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    events = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    die_with(int(options["parent"]))
    return options, events


def restrict(limits: Limits) -> None:
    """Give up everything that is not needed. What the system can't take away is left to the other limits."""
    with contextlib.suppress(OSError):
        os.nice(5)
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        if not limits.network:
            ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_AS, limits.memory_bytes)
    # The soft limit ends the process with SIGXCPU, by which the parent knows; the hard one is for who ignores it.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 5))


def forbid_new_files() -> None:
    """From here on no file, socket or pipe can be opened, whatever the material says. Open ones stay usable."""
    _lower(resource.RLIMIT_NOFILE, 0)
    if hasattr(resource, "RLIMIT_NPROC"):
        _lower(resource.RLIMIT_NPROC, 0)


def allow_files(most: int) -> None:
    """So many descriptors can be open from here on."""
    _lower(resource.RLIMIT_NOFILE, most)


def disk_error(error: OSError) -> JobError:
    """What it means for the job that a file could not be written."""
    if error.errno == errno.EFBIG:
        return JobError("source_too_large")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return JobError("internal_error", "The server's disk is full. Restart the job when there is room.", retry=True)
    return JobError("internal_error")


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (value, value))


def die_with(parent: int) -> None:
    """Ends this process when its parent ends."""
    if sys.platform != "linux":
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
