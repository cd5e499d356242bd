"""Where a request comes from, for whatever counts by it: the network, as the sign-in library tells the address."""

from __future__ import annotations

import ipaddress

from allauth.account.adapter import get_adapter
from django.http import HttpRequest


def network_of(request: HttpRequest) -> str:
    """The address; of IPv6 the part that somebody is given as a whole."""
    address = str(get_adapter().get_client_ip(request))
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address
