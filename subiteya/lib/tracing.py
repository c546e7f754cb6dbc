"""Traces: one W3C trace id from the click on *Publish* to TikTok's last answer, in OpenTelemetry's spans.

`span` is the one way to make a span, `traceparent` the one form in which it travels (on rows, in messages), and
`bound` says whose work is done: on every span and every log line within. What a span may carry is decided at the
call; `spans` lets nothing secret through. See docs/tracing.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars, get_contextvars

from subiteya.lib import spans

__all__ = [
    "Span", "SpanKind", "arrived", "bound", "current_span_id", "current_trace_id", "current_traceparent", "failed",
    "new_trace_id", "span",
]  # fmt: skip

_W3C = TraceContextTextMapPropagator()
#: What `bound` binds is an attribute of every span under this prefix.
PREFIX = "subiteya."
Value = str | int | float | bool


def new_trace_id() -> str:
    """32 hexadecimal digits: a W3C trace-id."""
    return secrets.token_hex(16)


def current_trace_id() -> str:
    """The trace of the span at hand, or the empty string outside of any."""
    context = otel.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def current_span_id() -> str:
    """The span at hand, or the empty string outside of any."""
    context = otel.get_current_span().get_span_context()
    return f"{context.span_id:016x}" if context.is_valid else ""


def current_traceparent() -> str:
    """The span at hand as W3C writes it, or the empty string outside of any."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def bound(**ids: int | None) -> Iterator[None]:
    """Whose work this is (`job_id`, `video_id`, `account_id`), on each log line and span within, and not after."""
    with bound_contextvars(**{name: value for name, value in ids.items() if value is not None}):
        yield


@contextmanager
def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, parent: str | None = None,
    attributes: Mapping[str, Value] | None = None, links: Mapping[str, str] | None = None, minor: bool = False,
) -> Iterator[Span]:  # fmt: skip
    """A span around the work within; the error that it ends with is named by its class, never by its text.

    `parent`: None for the span at hand; else a traceparent, or a bare trace id (then the span at hand where it is of
    that trace, else none), or "" for a new trace. A span of another trace than the one at hand is linked with it,
    both ways. `links`: why → traceparent; empty ones are left out. `minor`: kept only when it fails, is slow, or
    when another span hangs on it.
    """
    outer = otel.get_current_span()
    context, trace_id = _place(parent, outer)
    found = [link for why, text in (links or {}).items() if (link := _link(why, text))]
    here = outer.get_span_context()
    away = here.is_valid and f"{here.trace_id:032x}" != trace_id
    if away:
        found.append(Link(here, {"why": "asked"}))
    values = {**{PREFIX + key: value for key, value in get_contextvars().items()}, **(attributes or {})}
    if minor:
        values[spans.MINOR] = True
    made = spans.start(name, context, trace_id, kind=kind, attributes=values, links=found)
    if away:
        outer.add_link(made.get_span_context(), {"why": "led_to"})
    try:
        with otel.use_span(made, record_exception=False, set_status_on_exception=False):
            yield made
    except Exception as error:
        if made.is_recording() and "error.type" not in (getattr(made, "attributes", None) or {}):
            failed(made, type(error).__qualname__)
        raise
    except BaseException as error:  # the process is asked to leave: nobody's failure
        made.set_attribute("subiteya.interrupted", type(error).__qualname__)
        raise
    finally:
        made.end()
        if not here.is_valid or here.is_remote:
            spans.flush()


def failed(at: Span, error_type: str) -> None:
    """Mark the span `at` as failed; `error_type` is a class or code of low cardinality."""
    at.set_attribute("error.type", error_type)
    at.set_status(Status(StatusCode.ERROR))


@contextmanager
def arrived(traceparent: str) -> Iterator[None]:
    """What a message brought along is the span at hand; nothing when it brought none."""
    context = _context(traceparent)
    if context is None:
        yield
        return
    with otel.use_span(NonRecordingSpan(context), record_exception=False, set_status_on_exception=False):
        yield


def _place(parent: str | None, outer: Span) -> tuple[Context | None, str]:
    """The OpenTelemetry context to start in (None: a root), and the trace id to be in ("": a new one)."""
    here = outer.get_span_context()
    if parent is None:
        return (otel.set_span_in_context(outer), f"{here.trace_id:032x}") if here.is_valid else (None, new_trace_id())
    if given := _context(parent):
        return otel.set_span_in_context(NonRecordingSpan(given)), f"{given.trace_id:032x}"
    trace_id = parent if _is_trace_id(parent) else new_trace_id()
    if here.is_valid and f"{here.trace_id:032x}" == trace_id:
        return otel.set_span_in_context(outer), trace_id
    return None, trace_id


def _is_trace_id(text: str) -> bool:
    return len(text) == 32 and not set(text) - set("0123456789abcdef") and text != "0" * 32


def _context(traceparent: str) -> SpanContext | None:
    """The span that `traceparent` names; None for anything else than a valid one."""
    context = otel.get_current_span(_W3C.extract({"traceparent": traceparent}, Context())).get_span_context()
    if not context.is_valid:
        return None
    # The state of others' vendors is not ours to keep.
    return SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=TraceFlags(context.trace_flags))


def _link(why: str, traceparent: str) -> Link | None:
    context = _context(traceparent)
    return Link(context, {"why": why}) if context else None
