"""Reads every TOOLS_* variable once, with its type and default. A bad or unknown one is an error, never a guess."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ROOT = Path(__file__).resolve().parent.parent
#: Linux takes 107 bytes for the path of a unix socket.
SOCKET_PATH_MAX = 100
#: Not tempfile's: that follows TMPDIR, and every process must find the same socket.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the folder in it is made for the owner alone


class BadEnvironment(Exception):
    """The environment holds a TOOLS_* value that can't be used."""


@dataclass(frozen=True)
class Env:
    """What an operator can set. Field `x` is read from `TOOLS_X`; the unit is in the name."""

    data_dir: Path = ROOT / "var"
    port: int = 8000
    bind: str = "127.0.0.1"
    outbound_allow: tuple[Network, ...] = ()
    admin_email: str = ""
    admin_password: str = ""
    secret_key: str = ""
    debug: bool = False
    public_url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    database_url: str = ""
    redis_url: str = ""
    default_model: str = "auto"
    model_dir: Path | None = None
    upload_max_mb: int = 4096
    download_max_mb: int = 8192
    max_duration_hours: float = 24.0
    disk_reserve_mb: int = 256
    #: Two, so that a recording of many hours does not hold up the next one.
    fetch_workers: int = 2
    speech_workers: int = 1
    speech_threads: int = 1
    lease_seconds: float = 30.0
    heartbeat_seconds: float = 3.0
    sweep_seconds: float = 4.0
    step_timeout_minutes: float = 60.0
    download_timeout_hours: float = 6.0
    extra_engines: tuple[str, ...] = ()

    @property
    def socket_path(self) -> Path:
        """Where the embedded broker listens: in the data folder unless that path is too long for a socket."""
        near = self.data_dir / "run" / "redis.sock"
        if len(str(near)) <= SOCKET_PATH_MAX:
            return near
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        return SHORT_FOLDER / f"tools-whisper-{os.getuid()}-{digest}" / "redis.sock"

    @property
    def embedded_broker(self) -> bool:
        return not self.redis_url

    @property
    def models(self) -> Path:
        """Folder of downloaded weights."""
        return self.model_dir or self.data_dir / "models"


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    return known[text.lower()]


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part) for part in _names(text))


def _positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = kind(text)
        if value <= 0:
            raise ValueError("must be above zero")
        return value

    return read


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "Path": (lambda text: Path(text).expanduser().resolve(), "a folder"),
    "Path | None": (lambda text: Path(text).expanduser().resolve(), "a folder"),
    "int": (_positive(int), "a whole number above zero"),
    "float": (_positive(float), "a number above zero"),
    "bool": (_flag, "true or false"),
    "str": (str, "text"),
    "tuple[str, ...]": (_names, "names separated by commas"),
    "tuple[Network, ...]": (_networks, "networks such as 10.0.0.0/8, separated by commas"),
}


def read(environ: Mapping[str, str] = os.environ) -> Env:
    """The Env that `environ` describes; raises BadEnvironment in one sentence."""
    known = {f"TOOLS_{field.name.upper()}": field for field in fields(Env)}
    given = {name: value for name, value in environ.items() if name.startswith("TOOLS_")}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadEnvironment(f"{name} is not a setting of this server.{hint}")
    values: dict[str, Any] = {}
    for name, text in given.items():
        if not text:
            continue
        reader, wanted = _READERS[str(known[name].type)]
        try:
            values[known[name].name] = reader(text)
        except (ValueError, KeyError) as error:
            raise BadEnvironment(f"{name} must be {wanted}, not {text!r}.") from error
    return Env(**values)
