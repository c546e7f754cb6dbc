"""Where spans go: one provider per process, made with its first span.

`register` adds a place of one's own; OTLP is one more when OpenTelemetry's own variables name an address. Nothing
here raises into the work that is traced.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

if TYPE_CHECKING:  # the SDK is only loaded where a span is made
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

logger = logging.getLogger(__name__)

#: The attribute of a span that nobody misses when it went well, quickly, and alone.
MINOR = "subiteya.minor"
NAME_CHARS = 120
#: The trace that the next root span joins, as 32 hexadecimal digits.
wanted_trace: ContextVar[str] = ContextVar("wanted_trace")


class Place(Protocol):
    """Takes cleaned spans; `started` hears of those that must be known even if their process dies."""

    def started(self, span: ReadableSpan) -> None: ...
    def ended(self, span: ReadableSpan) -> None: ...
    def flush(self) -> None: ...


places: list[Place] = []


def register(place: Place) -> None:
    """Send every span to `place` from now on."""
    places.append(place)


def flush() -> None:
    """A whole piece of work is done: let the places write what they hold."""
    for place in places:
        quietly(place.flush)


def drain(milliseconds: int = 2_000) -> None:
    """The process is about to end without further ado: write and send now, for that long at most."""
    flush()
    if _provider.cache_info().currsize:
        quietly(lambda: _provider().force_flush(milliseconds))


def start(
    name: str, context: Context | None, trace_id: str, *, kind: SpanKind, attributes: Mapping[str, Any],
    links: Sequence[Link],
) -> Span:  # fmt: skip
    """A started span in the trace `trace_id`: below what `context` holds, or at its top. Always with valid ids."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":  # the ids on rows and log lines stay
        flags = TraceFlags(TraceFlags.DEFAULT)
        ids = SpanContext(int(trace_id, 16), secrets.randbits(63) + 1, is_remote=False, trace_flags=flags)
        return NonRecordingSpan(ids)
    token = wanted_trace.set(trace_id)
    try:
        tracer = _provider().get_tracer("subiteya")
        return tracer.start_span(name[:NAME_CHARS], context or Context(), kind, attributes, links)
    finally:
        wanted_trace.reset(token)


def prepare() -> None:
    """Make the provider now, in a process that forks: its children find it. Not one that would start a thread."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") and not os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        _provider()


@cache
def _provider() -> TracerProvider:
    from subiteya.lib.provider import make_provider

    return make_provider()


def quietly(act: Callable[[], Any]) -> None:
    """Tracing breaks nothing that it traces."""
    try:
        act()
    except Exception:
        logger.warning("span_lost", exc_info=True)
