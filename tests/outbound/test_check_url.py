"""What is refused by its spelling alone."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_jobs.outbound import Guard, OutboundRefused


def resolve_nothing(*asked: object, **how: object) -> NoReturn:
    raise AssertionError(f"{asked} was resolved")


guard = Guard(resolve=resolve_nothing)

PRIVATE = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8000/a.mp3",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7F000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://012.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xA9FEA9FE/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://127.0.0.1.5/",
    "http://256.256.256.256/",
    "http://4294967297/",
    "http://example.com.127/",
    "http://localhost/",
    "http://LOCALHOST:80/",
    "http://localhost./",
    "http://a.localhost/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[2606:4700::1111%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::808:808]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2606:4700::5efe:7f00:1]/",
    "http://%31%32%37.0.0.1/",
    "http://%2531%2532%2537.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://１２７.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://१२७.0.0.१/",
    "http://0𝟙77.0.0.1/",
    "http://ⓛocalhost/",
    "http://local\u00adhost/",
    "http://127.0.0\u200b.1/",
]

NOT_A_WEB_ADDRESS = [
    "",
    "hello",
    "//example.com/a.mp3",
    "example.com/a.mp3",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "ftp://example.com/a.mp3",
    "gopher://example.com/",
    "data:audio/wav;base64,AAAA",
    "javascript:alert(1)",
    "rtmp://example.com/live",
    "concat:/etc/passwd|/etc/hosts",
    "http://",
    "http:///etc/passwd",
    "http://:80/",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com%40127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\.evil.com/",
    "http://exa mple.com/",
    "http://example.com:99999/",
    "http://example.com:http/",
    "http://[::1/",
    "http://[not-an-address]/",
    "http://127.0.0.1#@example.com:x@/\n",
    "http://exam\tple.com/",
    "http://example.com/\r\nHost: evil",
]

PUBLIC = [
    "http://example.com/",
    "https://example.com:8443/a%20file.mp3?x=1#y",
    "HTTPS://EXAMPLE.COM/",
    "https://bücher.example/a.mp3",
    "https://例え.テスト/",
    "https://xn--bcher-kva.example/",
    "https://example.com./",
    "https://a_b.example.com/",
    "http://8.8.8.8/",
    "http://0x08080808/",
    "http://134744072/",
    "http://[2606:4700:4700::1111]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://127.0.0.1.example.com/",
    "http://1e100.net/",
    "http://example.com/?to=http://127.0.0.1/",
    "http://example.com/@127.0.0.1/my file.mp3",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_an_address_that_is_not_public_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(OutboundRefused) as refusal:
        guard.check_url(url)
    assert refusal.value.code == "source_private_address"


@pytest.mark.parametrize("url", NOT_A_WEB_ADDRESS)
def test_what_is_not_a_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefused) as refusal:
        guard.check_url(url)
    assert refusal.value.code in ("source_type_not_supported", "source_private_address")


@pytest.mark.parametrize("url", ["ftp://example.com/a.mp3", "file:///etc/passwd", "http://user@example.com/"])
def test_the_refusal_of_a_scheme_is_not_about_addresses(url: str) -> None:
    with pytest.raises(OutboundRefused) as refusal:
        guard.check_url(url)
    assert refusal.value.code == "source_type_not_supported"


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_address_or_a_name_passes_without_being_resolved(url: str) -> None:
    guard.check_url(url)


def test_an_admitted_network_passes_and_its_neighbours_do_not() -> None:
    admitting = Guard((ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")), resolve_nothing)
    for url in ("http://10.1.2.3/", "http://0x0a010203/", "http://[::ffff:10.1.2.3]/", "http://[fd12::1]/"):
        admitting.check_url(url)
    for url in ("http://10.2.0.1/", "http://localhost/", "http://[fe80::1]/"):
        with pytest.raises(OutboundRefused):
            admitting.check_url(url)


def test_localhost_passes_when_loopback_is_admitted() -> None:
    Guard((ipaddress.ip_network("127.0.0.0/8"),), resolve_nothing).check_url("http://localhost:8000/")


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_ipv4_address_gets_the_same_verdict(address: ipaddress.IPv4Address) -> None:
    a, b, c, d = address.packed
    number = int(address)
    spellings = [
        f"{number}",
        f"{number:#x}",
        f"0{number:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{a}.{b}.{(c << 8) + d}",
        f"[::ffff:{address}]",
        f"[64:ff9b::{address}]",
    ]
    verdicts = set()
    for spelling in [str(address), *spellings]:
        try:
            guard.check_url(f"http://{spelling}/")
            verdicts.add("passes")
        except OutboundRefused:
            verdicts.add("refused")
    assert len(verdicts) == 1


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    for url in (text, "http://" + text, f"http://{text}/x", f"http://[{text}]/"):
        with contextlib.suppress(OutboundRefused):
            guard.check_url(url)
