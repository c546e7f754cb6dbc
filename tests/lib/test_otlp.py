"""Spans over OTLP: a real process, a real receiver on loopback, OpenTelemetry's own variables."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.processes import free_port

PROGRAM = """
import os
from subiteya.lib import spans
from subiteya.lib.tracing import SpanKind, bound, span
with span("process edit", kind=SpanKind.CONSUMER, parent="a" * 32), bound(job_id=7):
    with span("tiktok upload", kind=SpanKind.CLIENT, attributes={"text": "Bearer planted", "upload_token": "planted"}):
        pass
with span("looked", minor=True):
    pass
spans.drain()
os._exit(0)  # as a work-horse ends
"""


class Collector:
    """An OTLP receiver: what it was sent, and to which path."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.paths.append(self.path)
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        scopes = [scope for request in requests for one in request.resource_spans for scope in one.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def services(self) -> set[str]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        values = [value for request in requests for one in request.resource_spans for value in one.resource.attributes]
        return {value.value.string_value for value in values if value.key == "service.name"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


def run(**environment: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_it_sends_spans_where_the_standard_variable_says(collector: Collector) -> None:
    run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    assert set(collector.paths) == {"/v1/traces"}
    child, parent = collector.spans()
    assert (child.name, parent.name) == ("tiktok upload", "process edit")
    assert child.parent_span_id == parent.span_id
    assert child.trace_id.hex() == "a" * 32
    assert collector.services() == {"subiteya"}


def test_it_follows_the_other_variables(collector: Collector) -> None:
    url = f"{collector.url}/elsewhere"
    run(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=url, OTEL_SERVICE_NAME="agency", OTEL_TRACES_SAMPLER="always_off")
    assert collector.spans() == []

    run(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=url, OTEL_SERVICE_NAME="agency")
    assert set(collector.paths) == {"/elsewhere"}
    assert collector.services() == {"agency"}


def test_it_sends_no_secret(collector: Collector) -> None:
    run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    assert collector.spans()
    assert b"planted" not in b"".join(collector.bodies)


@pytest.mark.parametrize("switch", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}])
def test_it_sends_nothing_when_switched_off(collector: Collector, switch: dict[str, str]) -> None:
    run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **switch)

    assert not collector.paths


def test_it_breaks_nothing_when_nobody_receives() -> None:
    run(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}", OTEL_EXPORTER_OTLP_TIMEOUT="1")
