"""Calls to addresses that people or other services choose: they reach the public internet and nothing beside us.

A name is resolved once, and the connection goes to an address that was checked: a name that answers differently the
second time (DNS rebinding) changes nothing. `SUBITEYA_OUTGOING_ALLOW` names what may be called although it is near.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: A name and a port in, addresses as text out. Raises OSError.
Resolver = Callable[[str, int], Sequence[str]]

#: Seconds to connect, and between two signs of life of an answer; and for a call as a whole, once the name is resolved.
TIMEOUT, DEADLINE = (5.0, 10.0), 20.0
REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
#: Global by name, but they lead on to an IPv4 address of somebody's choice, or to nobody.
_DETOURS = tuple(
    ipaddress.ip_network(text)
    for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "192.88.99.0/24")
)


class OutgoingRefused(Exception):
    """It was not called, or did not answer well. `code`: scheme, address, redirects, too_large, unavailable.

    str() never holds the address, which may hold a secret.
    """

    def __init__(self, code: str, words: str) -> None:
        self.code = code
        super().__init__(words)


class AddressRefused(NewConnectionError):
    """Every address of the name is one that must not be called."""


@dataclass(frozen=True)
class Answer:
    """What came back: `body` is empty unless it was asked for."""

    status: int
    content_type: str = ""
    body: bytes = b""


def is_public(address: Address) -> bool:
    """Whether it belongs to somebody on the internet: not to this machine, its network, or everybody."""
    if any(address.version == net.version and address in net for net in _DETOURS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Guard:
    """Which hosts may be called. `allow`: names, `host:port`, addresses and networks that may be although near."""

    allow: Sequence[str] = ()
    resolver: Resolver = field(default=_resolve)

    def names(self, host: str, port: int) -> bool:
        """Is the host itself on the list?"""
        host = host.strip("[]").lower()
        return bool({host, f"{host}:{port}"} & {item.lower() for item in self.allow})

    def lets(self, host: str, port: int, address: Address) -> bool:
        """May a connection for `host` go to this address?"""
        return is_public(address) or self.names(host, port) or any(address in net for net in self._networks())

    def _networks(self) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        for item in self.allow:
            try:
                yield ipaddress.ip_network(item, strict=False)
            except ValueError:
                continue

    def addresses(self, host: str, port: int) -> list[str]:
        """Where `host` may be called, resolved once. Raises OSError when it has no address at all."""
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self.resolver(host.strip("[]"), port)]
        return [str(address) for address in found if self.lets(host, port, address)]


class _Deadline:
    """Hangs up when the time of a call is over. A time-out of the socket begins anew with each byte that comes."""

    def __init__(self, seconds: float) -> None:
        self._ends, self._lines = time.monotonic() + seconds, list[socket.socket]()
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True

    @property
    def left(self) -> float:
        return self._ends - time.monotonic()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._timer.cancel()
        for line in self._lines:
            line.close()

    def watch(self, line: socket.socket) -> socket.socket:
        """Of a copy: what TLS wraps is not ours any more, but it is the same connection."""
        self._lines.append(line.dup())
        if self.left <= 0:
            self._hang_up()
        return line

    def _hang_up(self) -> None:
        for line in list(self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class _Checked:
    """A connection of urllib3 that goes to an address which its guard let through; names and TLS stay the host's."""

    guard: Guard
    deadline: _Deadline
    host: str
    port: int
    timeout: Any
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        try:
            addresses = self.guard.addresses(self._dns_host, self.port)
        except (OSError, ValueError, UnicodeError) as error:
            raise NewConnectionError(self, f"no address: {type(error).__name__}") from None  # type: ignore[arg-type]
        if not addresses:
            raise AddressRefused(self, "no address that may be called")  # type: ignore[arg-type]
        problem: OSError | None = None
        for address in addresses:
            seconds = min(self.timeout, self.deadline.left)
            if seconds <= 0:
                raise ConnectTimeoutError(self, "no answer in time")
            try:
                return self.deadline.watch(socket.create_connection((address, self.port), seconds))
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, "no answer in time")
        raise NewConnectionError(self, f"no connection: {type(problem).__name__}")  # type: ignore[arg-type]


class _CheckedAdapter(HTTPAdapter):
    """requests over connections that `guard` checks and `deadline` ends."""

    def __init__(self, guard: Guard, deadline: _Deadline) -> None:
        held = {"guard": guard, "deadline": deadline}
        plain = type("CheckedConnection", (_Checked, HTTPConnection), held)
        secure = type("CheckedTLSConnection", (_Checked, HTTPSConnection), held)
        self._pools = {
            "http": type("CheckedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("CheckedTLSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


def guard() -> Guard:
    """The installation's."""
    return Guard(tuple(settings.OUTGOING_ALLOW))


def post(
    url: str, body: bytes, *, headers: dict[str, str], by: Guard | None = None, deadline: float = DEADLINE
) -> Answer:
    """Send `body`. What comes back is not read, and a redirect is an answer: nothing is sent twice."""
    with _Deadline(deadline) as until, _session(by or guard(), until) as session:
        return _call(session, "POST", url, headers=headers, body=body)[0]


def fetch(
    url: str, *, most_bytes: int, by: Guard | None = None, verify: str | bool = True, deadline: float = DEADLINE
) -> Answer:
    """Read up to `most_bytes`, over at most three redirects, each checked as the first was. Raises OutgoingRefused."""
    with _Deadline(deadline) as until, _session(by or guard(), until) as session:
        session.verify = verify
        for _hop in range(REDIRECTS + 1):
            answer, further = _call(session, "GET", url, most_bytes=most_bytes)
            if not further:
                return answer
            url = urljoin(url, further)
    raise OutgoingRefused("redirects", f"more than {REDIRECTS} redirects")


class _Session(requests.Session):
    guard: Guard
    deadline: _Deadline


def _session(by: Guard, until: _Deadline) -> _Session:
    session = _Session()
    session.trust_env = False  # no proxy, which would resolve the name itself, and no passwords of .netrc
    adapter = _CheckedAdapter(by, until)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"User-Agent": "SubiteYa", "Accept-Encoding": "identity"})
    session.guard, session.deadline = by, until
    return session


def check_url(url: str, by: Guard) -> None:
    """Raise OutgoingRefused unless it is a plain https address, or an http one of a host that is on the list."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = "", 0
    if not host or parts.username is not None or parts.password is not None or "\\" in url:
        raise OutgoingRefused("scheme", "the address is not a plain one")
    if parts.scheme == "http" and not (by.names(host, port) or _is_listed(host, by)):
        raise OutgoingRefused("scheme", "the address does not begin with https://")
    if parts.scheme not in {"http", "https"}:
        raise OutgoingRefused("scheme", "the address does not begin with https://")


def _is_listed(host: str, by: Guard) -> bool:
    """Is it an address of a listed network?"""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(address) and by.lets(host, 0, address)


def _call(
    session: _Session, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes | None = None,
    most_bytes: int = 0,
) -> tuple[Answer, str]:  # fmt: skip
    """The answer, and where it redirects to, if it does."""
    check_url(url, session.guard)
    try:
        with session.request(
            method, url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as response:
            further = response.headers.get("Location", "") if response.status_code in _MOVED else ""
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            content = _read(response, most_bytes) if most_bytes and not further else b""
            if session.deadline.left <= 0:  # what looks like the end was our own hanging up
                raise OutgoingRefused("unavailable", "it took too long")
            return Answer(response.status_code, kind, content), further
    except (requests.RequestException, HTTPError, UnicodeError, ValueError) as error:
        refused = _is_refusal(error)
        problem = type(error).__name__
    # Raised out here: the library's error quotes the address.
    if refused:
        raise OutgoingRefused("address", "it leads to this machine or its network, which is not allowed")
    raise OutgoingRefused("unavailable", f"no answer ({problem})")


def _read(response: requests.Response, most_bytes: int) -> bytes:
    """As it was sent: nothing is unpacked, and so nothing small becomes large."""
    body = b""
    while block := response.raw.read1(16_384, decode_content=False):
        body += block
        if len(body) > most_bytes:
            raise OutgoingRefused("too_large", f"more than {most_bytes} bytes")
    return body


def _is_refusal(error: BaseException) -> bool:
    """Whether our own check is somewhere among the causes that the libraries wrapped."""
    seen: list[Any] = [error]
    for cause in seen:
        if isinstance(cause, AddressRefused):
            return True
        more = [*getattr(cause, "args", ()), getattr(cause, "reason", None), cause.__context__]
        seen += [each for each in more if isinstance(each, BaseException) and each not in seen]
    return False
