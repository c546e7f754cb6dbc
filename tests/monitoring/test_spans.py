"""Keeping spans: beside the product's transactions, bounded, forgotten in time, and never twice."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from monitoring.models import Span
from monitoring.services import spans as keeping
from monitoring.services.counters import counters
from monitoring.services.spans import SpanKeeper, spans_prune
from subiteya.lib import spans
from subiteya.lib.tracing import SpanKind, bound, span

TRACE = "c" * 32


@pytest.fixture
def keeper(transactional_db: None) -> SpanKeeper:
    keeper = SpanKeeper()
    spans.register(keeper)
    return keeper


def names() -> list[str]:
    return list(Span.objects.order_by("started_at", "pk").values_list("name", flat=True))


def test_it_writes_a_whole_piece_of_work_at_its_end(keeper: SpanKeeper) -> None:
    with span("outer"), bound(job_id=7, video_id=8, account_id=9):
        with span("inner", attributes={"subiteya.bytes": 5}):
            pass
        assert names() == []

    outer, inner = Span.objects.order_by("started_at")
    assert (outer.name, outer.parent_id, inner.parent_id) == ("outer", "", outer.span_id)
    assert (inner.job_id, inner.video_id) == (7, 8)
    assert inner.attributes == {"subiteya.account_id": 9, "subiteya.bytes": 5}
    assert inner.ended_at >= inner.started_at >= outer.started_at
    assert inner.process.endswith(f":{os.getpid()}")


def test_it_writes_the_span_of_a_message_when_it_starts_and_completes_it(keeper: SpanKeeper) -> None:
    with span("process edit", kind=SpanKind.CONSUMER) as at:
        begun = Span.objects.get()
        assert (begun.kind, begun.ended_at) == ("consumer", None)
        at.set_attribute("subiteya.outcome", "succeeded")

    ended = Span.objects.get()
    assert ended.pk == begun.pk
    assert ended.ended_at
    assert ended.attributes == {"subiteya.outcome": "succeeded"}


def test_it_loses_no_span_to_a_rollback(keeper: SpanKeeper) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with span("inside"):
            pass
        assert names() == []
        raise ZeroDivisionError
    with span("after"):
        pass

    assert names() == ["inside", "after"]


def test_it_poisons_no_transaction_of_the_product(keeper: SpanKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "FLUSH_SECONDS", 0.0)
    with transaction.atomic():
        with span("x", kind=SpanKind.CONSUMER), span("y"):
            pass
        assert Span.objects.count() == 0

    spans.flush()

    assert sorted(names()) == ["x", "y"]


def test_it_bounds_what_waits_and_counts_what_it_drops(keeper: SpanKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "WAITING_MAX", 3)

    with span("outer"):
        for number in range(5):
            with span(f"step {number}"):
                pass

    assert len(names()) == 3
    assert "outer" in names()
    assert counters()["subiteya_spans_dropped_total"][()] == 3


def test_it_bounds_the_spans_of_a_video_but_keeps_its_runs(keeper: SpanKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PER_VIDEO_MAX", 2)

    with bound(video_id=8), span("first", parent=TRACE), span("second"), span("third"):
        pass
    with bound(video_id=8), span("run", kind=SpanKind.CONSUMER, parent=TRACE), span("step"):
        pass
    with bound(video_id=9), span("another video", parent=TRACE):
        pass

    kept = names()
    assert len(kept) == 4
    assert {"run", "another video"} <= set(kept)
    assert Span.objects.get(name="run").ended_at
    assert counters()["subiteya_spans_dropped_total"][()] == 2


def test_it_leaves_to_the_parent_what_waits_in_the_parent(keeper: SpanKeeper) -> None:
    with span("outer"):
        with span("before the fork"):
            pass
        child = os.fork()
        if child == 0:
            os._exit(len(keeper._waiting))
        _pid, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert names() == ["outer", "before the fork"]


def test_it_forgets_spans_past_their_time_a_few_at_once(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PRUNE_AT_ONCE", 2)
    settings.SPAN_RETENTION_DAYS = 3
    now = timezone.now()
    for number, days in enumerate((10, 9, 4, 2)):
        Span.objects.create(
            trace_id=TRACE, span_id=f"{number:016x}", name=f"{days} days", kind="internal",
            started_at=now - timedelta(days=days),
        )  # fmt: skip

    assert [spans_prune(), spans_prune(), spans_prune()] == [2, 1, 0]
    assert names() == ["2 days"]
