"""Where a request comes from. `X-Forwarded-For` is believed only from the proxies that the installation names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: What a proxy on the same machine that speaks through a unix socket is called in the list of proxies.
UNIX = "unix"


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks; empty when nobody can tell."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """The same, from a WSGI environment.

    From the right, the first hop that is no proxy of ours: what stands to its left anybody may have written.
    """
    trusted = _networks(tuple(settings.TRUSTED_PROXIES))
    peer = _read(str(environ.get("REMOTE_ADDR", "")))
    if not _is_ours(peer, trusted):
        return str(peer or "")
    found = peer
    for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        address = _read(hop)
        if address is None:
            break
        found = address
        if not _is_ours(address, trusted):
            break
    return str(found or "")


def neighbourhood(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or the /64 of an IPv6 one."""
    read = _read(address)
    if isinstance(read, IPv6Address):
        return str(ip_network((read, 64), strict=False))
    return str(read or "")


def _read(text: str) -> Address | None:
    """An address as proxies write it: perhaps with a port, IPv6 perhaps in brackets; IPv4 inside IPv6 is IPv4."""
    plain = text.strip().strip('"')
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ip_address(plain.partition("%")[0])  # without the interface of a link-local one
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_ours(address: Address | None, trusted: tuple[Iterable[Network], bool]) -> bool:
    networks, unix = trusted
    return unix if address is None else any(address in network for network in networks)


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[tuple[Network, ...], bool]:
    return tuple(ip_network(name, strict=False) for name in names if name != UNIX), UNIX in names
