"""Downloads through the guard, from real servers on loopback."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.outbound.site import Resolver, Site, Visit, running
from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard, OutboundRefused

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
BODY = bytes(range(256)) * 1000
LIMIT = 10_000_000


def read(guard: Guard, url: str, *, max_bytes: int = LIMIT, **options: float) -> bytes:
    with guard.stream(url, max_bytes=max_bytes, **options) as stream:  # type: ignore[arg-type]
        return b"".join(stream.chunks)


def failure(guard: Guard, url: str, *, max_bytes: int = LIMIT, **options: float) -> JobError:
    with pytest.raises(JobError) as caught:
        read(guard, url, max_bytes=max_bytes, **options)
    return caught.value


def test_a_file_arrives_whole_with_its_size_and_headers(site: Site, guard: Guard) -> None:
    url = site.serve("/a.wav", BODY, ETag='"1"')
    with guard.stream(url, max_bytes=LIMIT) as stream:
        assert (stream.status, stream.total, stream.offset, stream.url) == (200, len(BODY), 0, url)
        assert stream.headers["etag"] == '"1"'
        assert b"".join(stream.chunks) == BODY


def test_a_download_resumes_where_it_stopped(site: Site, guard: Guard) -> None:
    site.pages["/a.wav"] = lambda visit: visit.answer_part(BODY)
    with guard.stream(site.url("/a.wav"), offset=1000, max_bytes=LIMIT) as stream:
        assert (stream.status, stream.total, stream.offset) == (206, len(BODY), 1000)
        assert b"".join(stream.chunks) == BODY[1000:]


def test_a_server_that_cannot_resume_starts_over_and_says_so(site: Site, guard: Guard) -> None:
    with guard.stream(site.serve("/a.wav", BODY), offset=1000, max_bytes=LIMIT) as stream:
        assert (stream.status, stream.offset) == (200, 0)
        assert b"".join(stream.chunks) == BODY


def test_an_answer_with_another_part_is_not_taken(site: Site, guard: Guard) -> None:
    site.pages["/a"] = lambda visit: visit.answer(BODY, status=206, Content_Range=f"bytes 5-{len(BODY) + 4}/300000")
    with pytest.raises(JobError, match="another part"), guard.stream(site.url("/a"), offset=9, max_bytes=LIMIT):
        pass


def test_loopback_is_refused_unless_it_is_admitted(site: Site) -> None:
    assert failure(Guard(), site.serve("/a.wav", BODY)).code == "source_private_address"
    assert site.seen == []


@pytest.mark.parametrize(
    ("status", "code", "retry"),
    [
        (404, "source_not_found", False),
        (410, "source_not_found", False),
        (401, "source_blocked", False),
        (403, "source_blocked", False),
        (451, "source_blocked", False),
        (418, "source_blocked", False),
        (429, "source_unreachable", True),
        (500, "source_unreachable", True),
        (503, "source_unreachable", True),
    ],
)
def test_each_refusal_of_the_server_has_its_code(site: Site, guard: Guard, status: int, code: str, retry: bool) -> None:
    site.pages["/"] = lambda visit: visit.answer(b"no", status=status)
    error = failure(guard, site.url("/"))
    assert (error.code, error.retry) == (code, retry)


def test_a_redirect_is_followed(site: Site, guard: Guard) -> None:
    site.serve("/a.wav", BODY)
    assert read(guard, site.redirect("/old", "/a.wav")) == BODY


def test_a_key_goes_to_the_host_that_it_is_for_and_to_no_other(site: Site) -> None:
    """Another port of the same machine would be another program."""
    keys: dict[str, str | None] = {}

    def note(visit: Visit) -> None:
        keys[f"{visit.headers['Host']}{visit.path}"] = visit.headers.get("Authorization")
        visit.answer(BODY)

    with running(Site("127.0.0.2")) as other, running(Site()) as neighbour:
        for server in (site, other, neighbour):
            server.pages["/file"] = note
        guard = Guard((ipaddress.ip_network("127.0.0.0/8"),))
        for server in (site, other, neighbour):
            with guard.stream(
                site.redirect("/", server.url("/file")), max_bytes=LIMIT, headers={"Authorization": "Bearer key"}
            ) as stream:
                assert b"".join(stream.chunks) == BODY
        ports = site.server_port, other.server_port, neighbour.server_port
    assert keys == {
        f"127.0.0.1:{ports[0]}/file": "Bearer key",
        f"127.0.0.2:{ports[1]}/file": None,
        f"127.0.0.1:{ports[2]}/file": None,
    }


def test_an_answer_that_refuses_is_handed_over_to_those_who_ask_for_it(site: Site, guard: Guard) -> None:
    site.pages["/"] = lambda visit: visit.answer(b"first accept the conditions", status=403)
    with guard.stream(site.url(), max_bytes=LIMIT, any_status=True) as stream:
        assert (stream.status, b"".join(stream.chunks)) == (403, b"first accept the conditions")


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:{port}/secret", "http://169.254.169.254/", "http://0x7f000002:{port}/"]
)
def test_a_redirect_to_a_private_address_is_refused(site: Site, guard: Guard, target: str) -> None:
    with running(Site("127.0.0.2")) as inner:
        inner.serve("/secret", b"secret")
        url = site.redirect("/a.wav", target.format(port=inner.server_port))
        assert failure(guard, url).code == "source_private_address"
        assert inner.seen == []


def test_a_redirect_to_a_name_with_a_private_address_is_refused(site: Site) -> None:
    guard = Guard(LOOPBACK, Resolver({"127.0.0.1": [["127.0.0.1"]], "inner.example": [["10.0.0.1"]]}))
    assert failure(guard, site.redirect("/a.wav", "http://inner.example/")).code == "source_private_address"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:25/"])
def test_a_redirect_to_another_scheme_is_refused(site: Site, guard: Guard, target: str) -> None:
    assert failure(guard, site.redirect("/a.wav", target)).code == "source_type_not_supported"


def test_a_circle_of_redirects_ends(site: Site, guard: Guard) -> None:
    assert failure(guard, site.redirect("/a", "/a")).code == "source_unreachable"
    assert len(site.seen) == 6


def test_a_name_is_resolved_once_and_the_checked_address_is_used(site: Site) -> None:
    """The second answer would be another server: whoever asks twice is caught."""
    with running(Site("127.0.0.2")) as inner:
        resolver = Resolver({"rebind.example": [["127.0.0.1"], ["127.0.0.2"]]})
        site.serve("/", b"public")
        assert read(Guard(LOOPBACK, resolver), f"http://rebind.example:{site.server_port}/") == b"public"
        assert resolver.asked == ["rebind.example"]
        assert inner.seen == []


def test_a_name_that_turns_private_before_the_redirect_is_refused(site: Site) -> None:
    resolver = Resolver({"rebind.example": [["127.0.0.1"], ["127.0.0.2"]]})
    url = f"http://rebind.example:{site.server_port}/"
    site.pages["/"] = lambda visit: visit.answer(b"", status=302, Location=url + "again")
    assert failure(Guard(LOOPBACK, resolver), url).code == "source_private_address"
    assert resolver.asked == ["rebind.example"] * 2


@pytest.mark.parametrize("answer", [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::1"], ["::ffff:169.254.169.254"]])
def test_a_name_is_refused_when_any_of_its_addresses_is_private(answer: list[str]) -> None:
    guard = Guard(resolve=Resolver({"mixed.example": [answer]}))
    assert failure(guard, "http://mixed.example/").code == "source_private_address"


def test_the_next_address_is_tried_when_one_does_not_answer(site: Site) -> None:
    with running(Site("127.0.0.2")) as dead:
        port = site.server_port
        assert dead.server_port != port
        guard = Guard((ipaddress.ip_network("127.0.0.0/8"),), Resolver({"two.example": [["127.0.0.2", "127.0.0.1"]]}))
        site.serve("/", b"second")
        assert read(guard, f"http://two.example:{port}/") == b"second"


def test_an_unknown_name_can_be_tried_again_later() -> None:
    def fails(*asked: object, **how: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        raise OSError("no such name")

    error = failure(Guard(resolve=fails), "http://nowhere.example/")
    assert (error.code, error.retry) == ("source_unreachable", True)


def test_a_closed_port_can_be_tried_again_later(guard: Guard) -> None:
    with running(Site()) as gone:
        url = gone.url()
    error = failure(guard, url)
    assert (error.code, error.retry) == ("source_unreachable", True)


def test_a_size_over_the_limit_is_refused_before_the_body(site: Site, guard: Guard) -> None:
    site.pages["/"] = lambda visit: visit.begin(Content_Length=str(LIMIT + 1))
    assert failure(guard, site.url()).code == "source_too_large"


def test_a_body_without_a_size_is_cut_at_the_limit(site: Site, guard: Guard) -> None:
    def endless(visit: Visit) -> None:
        visit.begin()
        while not visit.server.closing.is_set():
            visit.wfile.write(bytes(65536))

    site.pages["/"] = endless
    assert failure(guard, site.url(), max_bytes=1_000_000).code == "source_too_large"


def test_a_compressed_body_counts_unpacked(site: Site, guard: Guard) -> None:

    url = site.serve("/", gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")
    assert failure(guard, url, max_bytes=1_000_000).code == "source_too_large"
    assert len(read(guard, url)) == 5_000_000


def test_a_body_shorter_than_promised_is_a_failure(site: Site, guard: Guard) -> None:
    def short(visit: Visit) -> None:
        visit.begin(Content_Length=str(len(BODY) + 1))
        visit.wfile.write(BODY)

    site.pages["/"] = short
    error = failure(guard, site.url())
    assert (error.code, error.retry) == ("source_unreachable", True)


def test_a_body_longer_than_promised_ends_at_the_promise(site: Site, guard: Guard) -> None:
    def long(visit: Visit) -> None:
        visit.begin(Content_Length="10")
        visit.wfile.write(BODY)

    site.pages["/"] = long
    assert read(guard, site.url()) == BODY[:10]


def test_a_reset_in_the_middle_is_a_failure_to_retry(site: Site, guard: Guard) -> None:
    def broken(visit: Visit) -> None:
        visit.begin(Content_Length=str(len(BODY)))
        visit.wfile.write(BODY[:1000])
        visit.reset()

    site.pages["/"] = broken
    error = failure(guard, site.url())
    assert (error.code, error.retry) == ("source_unreachable", True)


def test_a_server_that_sends_byte_by_byte_is_given_up(site: Site, guard: Guard) -> None:
    def slow(visit: Visit) -> None:
        visit.begin(Content_Length=str(len(BODY)))
        visit.drip(BODY, seconds=0.1)

    site.pages["/"] = slow
    before = time.monotonic()
    assert failure(guard, site.url(), rate_window=0.5).code == "timeout"
    assert time.monotonic() - before < 3


def test_headers_that_come_byte_by_byte_are_given_up_too(site: Site, guard: Guard) -> None:
    site.pages["/"] = lambda visit: visit.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, seconds=0.1)
    assert failure(guard, site.url(), rate_window=0.5).code == "timeout"


def test_the_total_time_is_kept_although_bytes_trickle(site: Site, guard: Guard) -> None:
    def slow(visit: Visit) -> None:
        visit.begin(Content_Length=str(len(BODY)))
        visit.drip(BODY, seconds=0.05)

    site.pages["/"] = slow
    before = time.monotonic()
    assert failure(guard, site.url(), total_timeout=0.6, min_rate=0).code == "timeout"
    assert 0.5 < time.monotonic() - before < 3


def test_a_silent_server_is_given_up(site: Site, guard: Guard) -> None:
    def silent(visit: Visit) -> None:
        visit.server.closing.wait(30)

    site.pages["/"] = silent
    assert failure(guard, site.url(), read_timeout=0.3).code == "timeout"


def test_a_slow_reader_is_not_a_slow_server(site: Site, guard: Guard) -> None:
    with guard.stream(site.serve("/", BODY * 20), max_bytes=LIMIT, rate_window=0.2) as stream:
        size = 0
        for index, chunk in enumerate(stream.chunks):
            size += len(chunk)
            if index < 5:
                time.sleep(0.1)
    assert size == len(BODY) * 20


def test_the_proxies_of_the_machine_are_not_used(site: Site, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert read(guard, site.serve("/", b"direct")) == b"direct"


def test_the_client_is_guarded_too_and_follows_nothing_by_itself(site: Site, guard: Guard) -> None:
    with guard.client(timeout=5) as client:
        assert client.get(site.redirect("/", "http://10.0.0.1/")).status_code == 302
    with guard.client(timeout=5, follow_redirects=True) as client, pytest.raises(OutboundRefused):
        client.get(site.url("/"))
    with Guard().client() as client, pytest.raises(OutboundRefused):
        client.post(site.url("/"), json={})


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for safe.example that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "safe.example")])

    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("safe.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def test_the_certificate_is_checked_against_the_name_and_not_the_address(certificate: tuple[Path, Path]) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(*certificate)
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    names = Resolver({"safe.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
    guard = Guard(LOOPBACK, names, tls=trusted)
    server = Site()
    server.socket = served.wrap_socket(server.socket, server_side=True)
    with running(server) as site:
        site.serve("/", b"safe")
        assert read(guard, f"https://safe.example:{site.server_port}/") == b"safe"
        assert failure(guard, f"https://other.example:{site.server_port}/").code == "source_unreachable"
