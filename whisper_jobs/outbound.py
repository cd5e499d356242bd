"""The one door out: every connection that this product opens to the world is checked here.

Submission calls `check_url`, downloads call `stream`, callbacks and relays use `client`, child processes call
`confine`. Only public addresses are reached, unless the operator admits others; knows nothing of settings.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import ipaddress
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import httpx2

from whisper_jobs.addresses import Address, Network, carried, host_of, is_public, literal_readings
from whisper_jobs.addresses import OutboundRefused as OutboundRefused
from whisper_jobs.errors import JobError

Resolve = Callable[..., Iterable[tuple[Any, Any, Any, str, tuple[Any, ...]]]]

MAX_REDIRECTS = 5
MAX_ADDRESSES_TRIED = 4
USER_AGENT = "Mozilla/5.0 (compatible; ToolsWhisper)"

#: No size has more digits; Python reads no number of some thousand.
_SIZE = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_STARTS_A_PROCESS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn"}
_SENDS_TO_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg"}


@dataclass(frozen=True)
class Stream:
    """An open answer. `offset` is where its first byte stands in the whole, `total` the size of the whole if told."""

    status: int
    headers: Mapping[str, str]
    url: str
    offset: int
    total: int | None
    chunks: Iterator[bytes]


class Guard:
    """Decides which addresses may be reached, and opens connections to those only.

    `allow` admits networks although they are not public; `resolve` and `tls` replace the system's own in tests.
    """

    def __init__(
        self,
        allow: tuple[Network, ...] = (),
        resolve: Resolve = socket.getaddrinfo,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allow = allow
        self._resolve = resolve
        self._tls = tls

    def check_url(self, url: str) -> None:
        """Raise OutboundRefused for what can be refused by looking at the URL alone. No name is resolved."""
        host = host_of(url)
        if host == "localhost" or host.endswith(".localhost"):
            if not any(self.admits(loopback) for loopback in ("127.0.0.1", "::1")):
                raise OutboundRefused
            return
        for address in literal_readings(host):
            self.check_address(address)

    def check_address(self, ip: str | Address) -> None:
        """Raise OutboundRefused unless `ip` is a public address or inside `allow`."""
        if not self.admits(ip):
            raise OutboundRefused

    def admits(self, ip: str | Address) -> bool:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        return self._allowed(address) or is_public(address)

    def client(
        self,
        *,
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        total_timeout: float | None = None,
        max_bytes: int | None = None,
        follow_redirects: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Client:
        """An HTTP client behind the guard; it raises httpx2's errors and OutboundRefused, and JobError for a bound that is passed.

        `total_timeout` counts from now and `max_bytes` all that arrives, so make a client per exchange where one is given.
        """
        pace = _Pace(total_seconds=total_timeout, max_bytes=max_bytes)
        return self._client(pace, httpx2.Timeout(timeout, connect=connect_timeout), follow_redirects, headers)

    @contextlib.contextmanager
    def stream(
        self,
        url: str,
        *,
        max_bytes: int,
        offset: int = 0,
        connect_timeout: float = 10.0,
        read_timeout: float = 30.0,
        total_timeout: float = 3600.0,
        min_rate: float = 1024.0,
        rate_window: float = 20.0,
        headers: Mapping[str, str] | None = None,
        any_status: bool = False,
    ) -> Iterator[Stream]:
        """GET `url` from byte `offset`. Every failure, also while the chunks are read, is a JobError.

        `Authorization` goes to the host of `url` alone, not along a redirect to another. With `any_status` an answer that
        refuses is handed over as well.

        A server that sends less than `min_rate` bytes a second over `rate_window` seconds of waiting is given up.
        """
        self.check_url(url)
        pace = _Pace(total_seconds=total_timeout, min_rate=min_rate, window=rate_window)
        timeout = httpx2.Timeout(read_timeout, connect=connect_timeout)
        wanted = {"Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
        if offset:
            wanted["Range"] = f"bytes={offset}-"
        with (
            translated_errors(),
            self._client(pace, timeout, True, wanted) as client,
            client.stream("GET", url) as response,
        ):
            if not any_status:
                check_status(response.status_code)
            yield _opened(response, offset, max_bytes)

    def confine(self, on_refusal: Callable[[str], None] = lambda address: None) -> None:
        """For a child process, for good: whatever library runs here reaches admitted addresses only.

        An audit hook sees each address at the moment of connecting, so a name that changes its address gains
        nothing. Unix sockets are refused, and so are other programs, which the hook would not reach.
        """

        def hook(event: str, args: tuple[Any, ...]) -> None:
            if event in _SENDS_TO_ADDRESS and args[1] is not None and not self._may_send(args[0], args[1]):
                on_refusal(str(args[1]))
                raise PermissionError(errno.EACCES, "This address is not on the public internet")
            if event in _STARTS_A_PROCESS:
                raise PermissionError(errno.EACCES, "Starting a program is not allowed here")

        sys.addaudithook(hook)

    def checked_addresses(self, host: str, port: int) -> list[str]:
        """Resolve `host` once and return the addresses that may be connected to, as literals.

        One that is not public spoils the whole answer, unless the operator has admitted another of them by network.
        """
        try:
            answers = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise JobError("source_unreachable", f"The name {host} could not be found.", retry=True) from error
        found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        good = [address for address in found if self.admits(address)]
        trusted = any(self._allowed(ipaddress.ip_address(address)) for address in good)
        if not good or (len(good) < len(found) and not trusted):
            raise OutboundRefused
        return good

    def _allowed(self, address: Address) -> bool:
        return any(address in network or carried(address) in network for network in self.allow)

    def _may_send(self, sock: socket.socket, address: Any) -> bool:
        inet = sock.family in (socket.AF_INET, socket.AF_INET6)
        return inet and isinstance(address, tuple) and isinstance(address[0], str) and self.admits(address[0])

    def _client(
        self, pace: _Pace, timeout: httpx2.Timeout, follow_redirects: bool, headers: Mapping[str, str] | None
    ) -> httpx2.Client:
        return httpx2.Client(
            transport=_GuardedTransport(self, pace, self._tls or _system_tls()),
            timeout=timeout,
            follow_redirects=follow_redirects,
            max_redirects=MAX_REDIRECTS,
            headers={"User-Agent": USER_AGENT, **(headers or {})},
            trust_env=False,
        )


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Turn httpx2's errors into JobErrors; for those who use `Guard.client`."""
    try:
        yield
    except (httpx2.ReadTimeout, httpx2.WriteTimeout) as error:
        raise JobError("timeout", "The media server stopped answering. Restart the job later.", retry=True) from error
    except httpx2.TooManyRedirects as error:
        raise JobError("source_unreachable", "The address leads in circles. Check the link in a browser.") from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise OutboundRefused("This is not a web address.", "source_type_not_supported") from error
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise JobError("source_unreachable", retry=True) from error


@functools.cache
def _system_tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)


@dataclass
class _Pace:
    """How long an exchange may take, how slow its server may be and how much it may send. Time of our own is not slow."""

    total_seconds: float | None = None
    min_rate: float = 0.0
    window: float = 20.0
    max_bytes: int | None = None
    started: float = field(default_factory=time.monotonic)
    waited: float = 0.0
    received: int = 0
    arrived: int = 0

    def allowance(self, timeout: float | None) -> float | None:
        """The longest that the next operation may block."""
        if self.total_seconds is None:
            return timeout
        left = self.started + self.total_seconds - time.monotonic()
        if left <= 0:
            raise JobError("timeout", "The media server took too long. Restart the job later.")
        return left if timeout is None else min(left, timeout)

    def count(self, received: int, seconds: float) -> None:
        self.arrived += received
        if self.max_bytes is not None and self.arrived > self.max_bytes:
            raise JobError("source_too_large")
        if not self.min_rate:
            return
        first = not self.received
        self.received += received
        self.waited += 0.0 if first else seconds
        if self.waited < self.window:
            return
        if self.received < self.min_rate * self.waited:
            raise JobError("timeout", "The media server sends too slowly. Restart the job later.")
        self.waited, self.received = 0.0, 1


class _PacedStream(httpcore2.NetworkStream):
    """A connection whose reads and writes obey a pace."""

    def __init__(self, inner: httpcore2.NetworkStream, pace: _Pace) -> None:
        self._inner = inner
        self._pace = pace

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        before = time.monotonic()
        allowance = self._pace.allowance(timeout)
        try:
            data = self._inner.read(max_bytes, allowance)
        except httpcore2.ReadTimeout:
            self._pace.allowance(timeout)
            raise
        self._pace.count(len(data), time.monotonic() - before)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._pace.allowance(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._pace.allowance(timeout))
        return _PacedStream(inner, self._pace)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _GuardedBackend(httpcore2.NetworkBackend):
    """Resolves once, checks, and connects to what was checked. The name stays for TLS, in httpcore's hands."""

    def __init__(self, guard: Guard, pace: _Pace) -> None:
        self._guard = guard
        self._pace = pace
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        for address in self._guard.checked_addresses(host, port)[:MAX_ADDRESSES_TRIED]:
            try:
                allowance = self._pace.allowance(timeout)
                stream = self._plain.connect_tcp(address, port, allowance, local_address, socket_options)
                return _PacedStream(stream, self._pace)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class _GuardedTransport(httpx2.HTTPTransport):
    """Sees every hop of a redirect: the URL is checked here, the address when the backend connects."""

    def __init__(self, guard: Guard, pace: _Pace, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._guard, self._pace = guard, pace
        self._pool = httpcore2.ConnectionPool(ssl_context=tls, network_backend=_GuardedBackend(guard, pace))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._guard.check_url(str(request.url))
        if self._pace.max_bytes is None:
            return super().handle_request(request)
        # Compressed, a thousand times as much could come out of what is allowed to arrive.
        request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise JobError("source_too_large")
        return response


def _opened(response: httpx2.Response, offset: int, max_bytes: int) -> Stream:
    start, total = _extent(response, offset)
    if total is not None and total > max_bytes:
        raise JobError("source_too_large")
    chunks = _chunks(response, max_bytes - start)
    return Stream(response.status_code, response.headers, str(response.url), start, total, chunks)


def check_status(status: int) -> None:
    """Raise the JobError that an HTTP answer means; nothing for success."""
    if status < 300:
        return
    if status in (404, 410):
        raise JobError("source_not_found")
    if status in (408, 416, 425, 429) or status >= 500:
        raise JobError("source_unreachable", f"The media server answered with error {status}.", retry=True)
    raise JobError("source_blocked", f"The site refused to hand out this media (answer {status}).")


def _extent(response: httpx2.Response, offset: int) -> tuple[int, int | None]:
    """Where the answer's first byte stands in the whole, and the size of the whole."""
    if response.status_code == 206:
        told = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if told is None or int(told[1]) != offset:
            raise JobError("source_unreachable", "The media server sent another part than asked for.", retry=True)
        return offset, None if told[2] == "*" else int(told[2])
    length = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    return 0, int(length) if _SIZE.fullmatch(length) and not encoded else None


def _chunks(response: httpx2.Response, max_bytes: int) -> Iterator[bytes]:
    received = 0
    with translated_errors():
        for chunk in response.iter_bytes():
            received += len(chunk)
            if received > max_bytes:
                raise JobError("source_too_large")
            yield chunk
