"""Reads every TOOLS_* variable once, with its type and default. A bad or unknown one is an error, never a guess."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ROOT = Path(__file__).resolve().parent.parent
#: Linux takes 107 bytes for the path of a unix socket.
SOCKET_PATH_MAX = 100
HIGHEST_PORT = 65_535
#: Not tempfile's: that follows TMPDIR, and every process must find the same socket.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the folder in it is made for the owner alone
#: Where a server that listens on all addresses is found on its own machine.
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what an operator may have chosen


#: Strings and numbers of a kind, each with its reader below.
MailServer: TypeAlias = str
WebAddress: TypeAlias = str
HostPort: TypeAlias = str
Device: TypeAlias = Literal["auto", "cpu", "cuda"]
ComputeType: TypeAlias = str
Backends: TypeAlias = Literal["A", "B", "AB"]
Tier: TypeAlias = Literal["trial", "standard", "regulated"]
Count: TypeAlias = int
#: Their value may hold a password, so a mistake in one is told without it.
SECRET_KINDS = {"MailServer"}
COMPUTE_TYPES = ("int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16", "float32")
MAIL_SCHEMES = {"smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail", "dummymail"}


class BadEnvironment(Exception):
    """The environment holds a TOOLS_* value that can't be used."""


@dataclass(frozen=True)
class Env:
    """What an operator can set. Field `x` is read from `TOOLS_X` unless it has a name of its own; the unit is in the name."""

    data_dir: Path = ROOT / "var"
    port: int = 8000
    bind: str = "127.0.0.1"
    outbound_allow: tuple[Network, ...] = ()
    admin_email: str = ""
    admin_password: str = ""
    secret_key: str = ""
    debug: bool = False
    #: Whether anybody may make an account.
    signup: bool = False
    #: As environ's e-mail URLs: smtp+tls://user:password@host:587. Empty writes mails to the log.
    email_url: MailServer = ""
    email_from: str = "Tools Whisper <whisper@localhost>"
    #: An OpenID Connect provider, asked for its addresses at ISSUER/.well-known/openid-configuration.
    oidc_issuer: WebAddress = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = "OpenID Connect"
    #: How many proxies of our own stand in front; the address they tell is then believed.
    trusted_proxies: Count = 0
    public_url: WebAddress = ""
    allowed_hosts: tuple[str, ...] = ()
    database_url: str = ""
    redis_url: str = ""
    default_model: str = "auto"
    model_dir: Path | None = None
    #: Where Whisper models work, and in which arithmetic: names of CTranslate2; `auto` for the best that works.
    device: Device = "auto"
    compute_type: ComputeType = "auto"
    #: Windows that an engine takes at once; None for what suits it and the memory.
    batch_size: int | None = None
    #: Of an account on the Hugging Face Hub, for models that have to be asked for; the hub's own name, without the prefix.
    hf_token: str = field(default="", metadata={"name": "HF_TOKEN"})
    #: A model that nobody uses leaves the memory after so long.
    model_idle_minutes: float = 10.0
    upload_max_mb: int = 4096
    download_max_mb: int = 8192
    max_duration_hours: float = 24.0
    disk_reserve_mb: int = 256
    #: What is in the trash for so long is deleted.
    trash_days: int = 30
    #: Two, so that a recording of many hours does not hold up the next one.
    fetch_workers: int = 2
    speech_workers: int = 1
    #: Two, so that one person's long translation holds up nobody's summary; they mostly wait for an answer.
    enrich_workers: int = 2
    speech_threads: int = 1
    lease_seconds: float = 30.0
    heartbeat_seconds: float = 3.0
    sweep_seconds: float = 4.0
    step_timeout_minutes: float = 60.0
    download_timeout_hours: float = 6.0
    extra_engines: tuple[str, ...] = ()
    #: Who may transcribe: A, the engines of this server, and B, the relay, to which sound leaves this machine.
    backends: Backends = "A"
    #: A server that speaks OpenAI's audio protocol.
    relay_base_url: WebAddress = ""
    relay_api_key: str = ""
    relay_model: str = "whisper-1"
    #: Processes that listen to live sessions; 0 for none, and then there are no live sessions.
    live_workers: Count = 1
    #: Where the live process listens for web processes on other machines, HOST:PORT; empty for a socket in the data folder.
    live_address: HostPort = ""
    #: At once, on this server.
    live_sessions: int = 50
    live_max_hours: float = 4.0
    #: A session that sends nothing for so long is closed.
    live_idle_minutes: float = 5.0
    #: A client whose connection is lost may come back for so long.
    live_resume_seconds: float = 30.0
    #: The speech API answers files up to here in the same request, larger ones by a job to poll.
    scaiecho_async_audio_threshold_bytes: int = 5 * 1024 * 1024
    #: So long a request waits for its transcript at most; then it is told where to poll.
    inline_seconds: float = 120.0
    #: The same for calls of dialects in which there is nowhere to poll.
    call_wait_minutes: float = 60.0
    #: What a tenant may use until its policy says otherwise: trial, standard or regulated.
    tenant_tier: Tier = "standard"
    #: Requests per minute and caller that the API answers.
    api_per_minute: int = 120
    #: Of one user at once, unless the user has a number of their own; those of admins are not counted.
    max_queued_jobs: int = 1000
    #: Of sound that one user has transcribed in a calendar month; None for as many as they like.
    monthly_minutes: int | None = None
    #: Of an OpenAI-compatible server; the official client's own names, without the prefix.
    openai_base_url: WebAddress = field(default="https://api.openai.com/v1", metadata={"name": "OPENAI_BASE_URL"})
    openai_api_key: str = field(default="", metadata={"name": "OPENAI_API_KEY"})
    openai_model: str = "gpt-4.1-mini"
    #: What the model reads and writes at once; longer transcripts are analysed in parts.
    openai_context_tokens: int = 32_000

    @property
    def socket_path(self) -> Path:
        """Where the embedded broker listens: in the data folder unless that path is too long for a socket."""
        near = self.data_dir / "run" / "redis.sock"
        if len(str(near)) <= SOCKET_PATH_MAX:
            return near
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        return SHORT_FOLDER / f"tools-whisper-{os.getuid()}-{digest}" / "redis.sock"

    @property
    def live_listener(self) -> str | tuple[str, int]:
        """Where the live process listens: the path of a socket beside the broker's, or host and port."""
        if not self.live_address:
            return str(self.socket_path.with_name("live.sock"))
        host, _, port = self.live_address.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def has_live(self) -> bool:
        """Whether there are live sessions: held here, or on the machine that is named."""
        return bool(self.live_workers or self.live_address)

    @property
    def near_host(self) -> str:
        """Where the web process is reached from this machine."""
        return ANYWHERE.get(self.bind, self.bind)

    @property
    def address(self) -> str:
        """How links to this server begin, without a slash at the end."""
        host = f"[{self.near_host}]" if ":" in self.near_host else self.near_host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

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
        if not 0 < value < math.inf:
            raise ValueError("must be above zero")
        return value

    return read


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("must not be below zero")
    return value


def _url(schemes: set[str], *, with_host: bool) -> Callable[[str], str]:
    def read(text: str) -> str:
        address = urlsplit(text)
        if address.scheme not in schemes or (with_host and not address.hostname):
            raise ValueError("must be such an address")
        return text

    return read


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not 0 < int(port) <= HIGHEST_PORT:
        raise ValueError("must be host and port")
    return text


def _one_of(*known: str) -> tuple[Callable[[str], str], str]:
    def read(text: str) -> str:
        if text.lower() not in known:
            raise ValueError("must be one of those")
        return text.lower()

    return read, f"one of {', '.join(known)}"


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "Path": (lambda text: Path(text).expanduser().resolve(), "a folder"),
    "Path | None": (lambda text: Path(text).expanduser().resolve(), "a folder"),
    "int": (_positive(int), "a whole number above zero"),
    "int | None": (_positive(int), "a whole number above zero"),
    "float": (_positive(float), "a number above zero"),
    "bool": (_flag, "true or false"),
    "str": (str, "text"),
    "Count": (_count, "a whole number, zero or more"),
    "MailServer": (_url(MAIL_SCHEMES, with_host=False), "a mail server such as smtp+tls://user:password@host:587"),
    "WebAddress": (_url({"http", "https"}, with_host=True), "an address such as https://id.example.org"),
    "HostPort": (_host_and_port, "a host and a port such as 10.0.0.5:8765"),
    "Device": _one_of("auto", "cpu", "cuda"),
    "ComputeType": _one_of("auto", *COMPUTE_TYPES),
    "Backends": (lambda text: {"A": "A", "B": "B", "AB": "AB"}[text.upper()], "A, B or AB"),
    "Tier": _one_of("trial", "standard", "regulated"),
    "tuple[str, ...]": (_names, "names separated by commas"),
    "tuple[Network, ...]": (_networks, "networks such as 10.0.0.0/8, separated by commas"),
}


def read(environ: Mapping[str, str] = os.environ) -> Env:
    """The Env that `environ` describes; raises BadEnvironment in one sentence."""
    known = {one.metadata.get("name", f"TOOLS_{one.name.upper()}"): one for one in fields(Env)}
    given = {name: value for name, value in environ.items() if name.startswith("TOOLS_") or name in known}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadEnvironment(f"{name} is not a setting of this server.{hint}")
    values: dict[str, Any] = {}
    for name, text in given.items():
        if not text:
            continue
        kind = str(known[name].type)
        reader, wanted = _READERS[kind]
        try:
            values[known[name].name] = reader(text)
        except (ValueError, KeyError) as error:
            but_is = "" if kind in SECRET_KINDS else f", not {text!r}"
            raise BadEnvironment(f"{name} must be {wanted}{but_is}.") from error
    if values.get("oidc_issuer") and not values.get("oidc_client_id"):
        raise BadEnvironment("TOOLS_OIDC_ISSUER needs TOOLS_OIDC_CLIENT_ID as well.")
    if "B" in values.get("backends", "") and not values.get("relay_base_url"):
        raise BadEnvironment("TOOLS_BACKENDS with B needs TOOLS_RELAY_BASE_URL as well.")
    return Env(**values)
