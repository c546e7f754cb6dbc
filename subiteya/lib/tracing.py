"""The trace of the work at hand: one W3C trace id from the click on *Publish* to TikTok's last answer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_trace_id: ContextVar[str] = ContextVar("trace_id", default="")


def new_trace_id() -> str:
    """32 hexadecimal digits: a W3C trace-id."""
    return secrets.token_hex(16)


def current_trace_id() -> str:
    """The trace id bound by `trace`, or the empty string outside of any."""
    return _trace_id.get()


@contextmanager
def trace(trace_id: str = "") -> Iterator[str]:
    """Bind `trace_id` (a new one when empty) to this context, and always unbind it."""
    token = _trace_id.set(trace_id or new_trace_id())
    try:
        yield _trace_id.get()
    finally:
        _trace_id.reset(token)
