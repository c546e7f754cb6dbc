"""Spans: where they belong, what links them, what is left out, and what never leaves."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from subiteya.lib import spans
from subiteya.lib.tracing import (
    SpanKind,
    arrived,
    bound,
    current_span_id,
    current_trace_id,
    current_traceparent,
    span,
)

TRACE = "a" * 32
PARENT = f"00-{TRACE}-{'b' * 16}-01"


class Shelf:
    """A place that keeps what it is given."""

    def __init__(self) -> None:
        self.open: list[ReadableSpan] = []
        self.done: list[ReadableSpan] = []
        self.flushes = 0

    def started(self, span: ReadableSpan) -> None:
        self.open.append(span)

    def ended(self, span: ReadableSpan) -> None:
        self.done.append(span)

    def flush(self) -> None:
        self.flushes += 1

    def named(self, name: str) -> ReadableSpan:
        (found,) = [one for one in self.done if one.name == name]
        return found


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    spans.register(shelf)
    return shelf


def trace_of(one: ReadableSpan) -> str:
    return f"{one.context.trace_id:032x}"


def whys(one: ReadableSpan) -> dict[str, str]:
    return {str(link.attributes["why"]): f"{link.context.span_id:016x}" for link in one.links}


def test_it_puts_a_span_below_the_one_at_hand(shelf: Shelf) -> None:
    with span("outer"):
        outer = current_span_id()
        with span("inner"):
            assert current_traceparent().split("-")[1] == current_trace_id()

    assert f"{shelf.named('inner').parent.span_id:016x}" == outer
    assert trace_of(shelf.named("inner")) == trace_of(shelf.named("outer"))
    assert (current_trace_id(), current_span_id(), current_traceparent()) == ("", "", "")


def test_it_puts_a_span_below_a_traceparent(shelf: Shelf) -> None:
    with span("work", parent=PARENT):
        pass

    work = shelf.named("work")
    assert (trace_of(work), f"{work.parent.span_id:016x}") == (TRACE, "b" * 16)


def test_it_puts_a_span_at_the_top_of_a_named_trace(shelf: Shelf) -> None:
    with span("work", parent=TRACE), span("inner", parent=TRACE):
        pass

    assert (trace_of(shelf.named("work")), shelf.named("work").parent) == (TRACE, None)
    assert shelf.named("inner").parent.span_id == shelf.named("work").context.span_id


@pytest.mark.parametrize("nonsense", ["", "x", "0" * 32, f"00-{TRACE}-{'0' * 16}-01", "ä" * 32])
def test_it_starts_a_new_trace_for_anything_else(shelf: Shelf, nonsense: str) -> None:
    with span("outer", parent=TRACE), span("work", parent=nonsense):
        assert len(current_trace_id()) == 32
        assert current_trace_id() != TRACE

    assert shelf.named("work").parent is None


def test_it_links_spans_of_two_traces_both_ways(shelf: Shelf) -> None:
    with span("tick"), span("work", parent=TRACE, links={"previous": PARENT, "bell": ""}):
        pass

    tick, work = shelf.named("tick"), shelf.named("work")
    assert whys(work) == {"previous": "b" * 16, "asked": f"{tick.context.span_id:016x}"}
    assert whys(tick) == {"led_to": f"{work.context.span_id:016x}"}


def test_it_takes_up_what_a_message_brought(shelf: Shelf) -> None:
    with arrived(PARENT), span("work"):
        pass
    with arrived(""), span("other"):
        pass

    assert trace_of(shelf.named("work")) == TRACE
    assert trace_of(shelf.named("other")) != TRACE


def test_it_writes_whose_work_it_is_on_each_span(shelf: Shelf) -> None:
    with bound(job_id=7, video_id=8, account_id=None), span("work"):
        pass
    with span("later"):
        pass

    assert dict(shelf.named("work").attributes) == {"subiteya.job_id": 7, "subiteya.video_id": 8}
    assert not shelf.named("later").attributes


def test_it_names_an_error_by_its_class_and_keeps_its_words_out(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="planted"), span("outer"), span("work"):
        raise ValueError("planted")

    work = shelf.named("work")
    assert (work.attributes["error.type"], work.status.status_code.name) == ("ValueError", "ERROR")
    assert "planted" not in work.to_json()


def test_it_calls_a_process_that_is_asked_to_leave_no_failure(shelf: Shelf) -> None:
    with pytest.raises(KeyboardInterrupt), span("work"):
        raise KeyboardInterrupt

    assert shelf.named("work").status.status_code.name == "UNSET"
    assert shelf.named("work").attributes["subiteya.interrupted"] == "KeyboardInterrupt"


def test_it_keeps_a_minor_span_only_when_something_hangs_on_it_or_it_failed(shelf: Shelf) -> None:
    with span("alone", minor=True):
        pass
    with span("parent", minor=True), span("child"):
        pass
    with span("linked", minor=True), span("elsewhere", parent=TRACE):
        pass
    with pytest.raises(OSError, match="no"), span("failed", minor=True):
        raise OSError("no")

    assert [one.name for one in shelf.done] == ["child", "parent", "elsewhere", "linked", "failed"]
    assert not any(spans.MINOR in one.attributes for one in shelf.done)


def test_it_tells_of_a_message_s_span_when_it_starts(shelf: Shelf) -> None:
    with span("process edit", kind=SpanKind.CONSUMER):
        assert [one.name for one in shelf.open] == ["process edit"]
        assert shelf.open[0].end_time is None
    with span("poll", kind=SpanKind.CONSUMER, minor=True), span("step"):
        pass

    assert [one.name for one in shelf.open] == ["process edit"]


def test_it_flushes_when_a_whole_piece_of_work_is_done(shelf: Shelf) -> None:
    with span("outer"):
        with span("inner"):
            pass
        assert shelf.flushes == 0
    with arrived(PARENT), span("work"):
        pass

    assert shelf.flushes == 2


@pytest.mark.parametrize("secret", ["act.planted!12345.va", "Bearer planted", "sy_" + "p" * 43, "gAAAA" + "p" * 40])
def test_it_lets_no_secret_through_in_names_and_attributes(shelf: Shelf, secret: str) -> None:
    with span(f"a {secret}", attributes={"text": f"x {secret}", "upload_token": "plain-planted"}):
        pass

    (one,) = shelf.done
    assert "planted" not in one.to_json()
    assert "pppp" not in one.to_json()


def test_it_bounds_what_a_span_carries(shelf: Shelf) -> None:
    with span("n" * 500, attributes={f"key{number}": "v" * 5000 for number in range(200)}):
        pass

    (one,) = shelf.done
    assert (len(one.name), len(one.attributes)) == (120, 48)
    assert {len(str(value)) for value in one.attributes.values()} == {500}


class Broken(Shelf):
    def started(self, span: Any) -> None:
        raise RuntimeError("full")

    ended = started

    def flush(self) -> None:
        raise RuntimeError("full")


def test_it_breaks_nothing_when_a_place_breaks(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    spans.register(Broken())

    with span("process edit", kind=SpanKind.CONSUMER):
        done = True

    assert done
    assert "span_lost" in caplog.text


def test_it_keeps_trace_ids_when_spans_are_switched_off(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    with span("outer", parent=TRACE):
        ids = [(current_trace_id(), current_span_id())]
        with span("inner"):
            ids.append((current_trace_id(), current_span_id()))

    assert {trace_id for trace_id, _span_id in ids} == {TRACE}
    assert len({span_id for _trace_id, span_id in ids}) == 2
    assert not shelf.done
