"""Which addresses are on the public internet, in whatever spelling they come. Pure: resolves and opens nothing."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import unicodedata
from urllib.parse import unquote, urlsplit

from whisper_jobs.errors import JobError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Not public although some Python's `is_global` says so: IETF blocks, Teredo, documentation, Azure's host agent.
_NEVER_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2001:db8::/32", "3fff::/20")
)


class OutboundRefused(JobError):
    """The address is not one that this server may open."""

    def __init__(self, message: str = "", code: str = "source_private_address") -> None:
        super().__init__(code, message)


def host_of(url: str) -> str:
    """The host in the one spelling that the checks look at; raises for what is not a plain web address."""
    not_an_address = OutboundRefused("This is not a web address.", "source_type_not_supported")
    if any(ord(char) < 32 or ord(char) == 127 for char in url):
        raise not_an_address
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise not_an_address from error
    if parts.scheme not in ("http", "https"):
        raise OutboundRefused("Only http and https addresses can be opened.", "source_type_not_supported")
    if "@" in unquote(parts.netloc):
        raise OutboundRefused("An address with a user name in it is not opened.", "source_type_not_supported")
    if not host or any(char in parts.netloc for char in "\\ "):
        raise not_an_address
    return _plain_host(host)


def _plain_host(host: str) -> str:
    for _ in range(3):
        host = unquote(host)
    folded = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    plain = "".join(char for char in folded if unicodedata.category(char) != "Cf").rstrip(".")
    if not plain or any(not char.isalnum() and char not in ".-_:%" for char in plain):
        raise OutboundRefused("This is not a web address.", "source_type_not_supported")
    return plain


def literal_readings(host: str) -> list[Address]:
    """Every address that some software reads in `host`; empty for a name. What only looks like one is refused."""
    if ":" in host or "%" in host:
        try:
            return [ipaddress.IPv6Address(host)] if "%" not in host else [ipaddress.IPv6Address("fe80::")]
        except ValueError as error:
            raise OutboundRefused("This is not a web address.", "source_type_not_supported") from error
    if not re.fullmatch(r"0x[0-9a-f]*|\d+", host.rsplit(".", 1)[-1]):
        return []
    digits = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in host)
    try:
        readings: list[Address] = [ipaddress.IPv4Address(socket.inet_aton(digits))]
    except OSError as error:
        raise OutboundRefused from error
    if re.fullmatch(r"\d+(\.\d+){3}", digits):  # 010.8.8.8 is 8.8.8.8 to some and 10.8.8.8 to others
        with contextlib.suppress(ValueError):
            readings.append(ipaddress.IPv4Address(".".join(str(int(part)) for part in digits.split("."))))
    return readings


def carried(address: Address) -> Address:
    """The IPv4 address that packets to an IPv4-mapped or NAT64 address end at; others as they are."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    address = carried(address)
    if isinstance(address, ipaddress.IPv6Address):
        if address not in _UNICAST6 or (address.sixtofour and not is_public(address.sixtofour)):
            return False
        if (int(address) >> 32) & 0xFDFFFFFF == 0x00005EFE:  # ISATAP carries an IPv4 address in its last 32 bits
            return False
    special = address.is_multicast or address.is_reserved or any(address in network for network in _NEVER_PUBLIC)
    return address.is_global and not special
