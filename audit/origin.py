"""Who acts, and from where: the request at hand, else the command or process that runs."""

from __future__ import annotations

import getpass
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from subiteya.lib.addresses import client_address

#: Who acts in a request without a person.
ANONYMOUS = "anonymous"
_request: ContextVar[HttpRequest | None] = ContextVar("audit_request", default=None)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`user`: the person, if there is one; `name`: what stands in their place."""

    user: Any
    name: str
    address: str
    agent: str


@contextmanager
def requested(request: HttpRequest) -> Iterator[None]:
    """What happens within is asked for by `request`."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def origin() -> Origin:
    """Of what happens now."""
    request = _request.get()
    if request is None:
        return Origin(user=None, name=_program(), address="", agent=_account())
    # Read only now: a log-in gives the request its person in the middle of it.
    user = getattr(request, "user", None)
    person = user if user is not None and user.is_authenticated else None
    agent = request.headers.get("User-Agent", "")
    return Origin(user=person, name=ANONYMOUS, address=client_address(request), agent=agent)


def is_acting(user: Any) -> bool:
    """Is it `user` themselves who acts?"""
    acting = origin().user
    return acting is not None and acting.pk == user.pk


def _program() -> str:
    """`command:rotate_keys`, or `system` where Django was started in another way."""
    if Path(sys.argv[0]).name == "manage.py" and len(sys.argv) > 1:
        return f"command:{sys.argv[1]}"
    return "system"


def _account() -> str:
    """The operating system's user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        user = "?"
    return f"{user}@{socket.gethostname()}"
