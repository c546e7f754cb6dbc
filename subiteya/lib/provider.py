"""OpenTelemetry's SDK as we use it: joined traces, bounded spans, one net that every span passes before it leaves."""

from __future__ import annotations

import os
import threading

from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind, StatusCode

from subiteya.lib.redaction import redact, redacted_item
from subiteya.lib.spans import MINOR, places, quietly, wanted_trace

SLOW_NS = 1_000_000_000
LIMITS = SpanLimits(max_span_attributes=48, max_links=64, max_events=1, max_span_attribute_length=500)


def make_provider() -> TracerProvider:
    """The process's provider. `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and the samplers' variables hold."""
    resource = Resource.create({"service.name": "subiteya"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, span_limits=LIMITS, id_generator=_Ids())
    provider.add_span_processor(_Net(_otlp()))
    return provider


class _Ids(RandomIdGenerator):
    """A root span joins the trace that its work belongs to."""

    def generate_trace_id(self) -> int:
        return int(wanted_trace.get(), 16)


class _Net(SpanProcessor):
    """Drops the minor spans that nothing hangs on, cleans the others, and hands them to every place."""

    def __init__(self, otlp: SpanProcessor | None) -> None:
        self._otlp = otlp
        self._lock = threading.Lock()
        self._missed: dict[int, bool] = {}  # open minor spans: does something hang on it?
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        quietly(lambda: self._started(span))

    def on_end(self, span: ReadableSpan) -> None:
        quietly(lambda: self._ended(span))

    def _started(self, span: ReadableSpan) -> None:
        minor = bool((span.attributes or {}).get(MINOR))
        with self._lock:
            for other in [span.parent, *(link.context for link in span.links)]:
                if other is not None and other.span_id in self._missed:
                    self._missed[other.span_id] = True
            if minor and span.context is not None:
                self._missed[span.context.span_id] = False
        if span.kind == SpanKind.CONSUMER and not minor:
            clean = _clean(span)
            for place in places:
                place.started(clean)

    def _ended(self, span: ReadableSpan) -> None:
        with self._lock:
            missed = self._missed.pop(span.context.span_id, True) if span.context else False
        if not missed and not _is_notable(span):
            return
        clean = _clean(span)
        for place in places:
            place.ended(clean)
        if self._otlp:
            self._otlp.on_end(clean)

    def shutdown(self) -> None:
        if self._otlp:
            self._otlp.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._otlp.force_flush(timeout_millis) if self._otlp else True


def _is_notable(span: ReadableSpan) -> bool:
    lasted = (span.end_time or 0) - (span.start_time or 0)
    return span.status.status_code == StatusCode.ERROR or lasted > SLOW_NS


def _clean(span: ReadableSpan) -> ReadableSpan:
    """A copy without secrets. Attributes are ours and name none; this is for the day on which one does."""
    given = {key: value for key, value in (span.attributes or {}).items() if key != MINOR}
    return ReadableSpan(
        name=redact(span.name), context=span.context, parent=span.parent, resource=span.resource, kind=span.kind,
        attributes={key: redacted_item(key, value) for key, value in given.items()},
        links=span.links, status=span.status, start_time=span.start_time, end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip


def _otlp() -> SpanProcessor | None:
    """A batch processor to where the standard variables say, or None. It sends from a thread of its own."""
    address = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not address or os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())
