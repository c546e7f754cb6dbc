"""One trace from the submission to TikTok's last word: the spans of the main job, kept in the database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from rq import SimpleWorker
from structlog.contextvars import get_contextvars

from monitoring.models import Span
from monitoring.services.spans import SpanKeeper
from publishing.models import Job, Video
from publishing.queues import get_queue
from publishing.services.reconcile import reconcile_tick
from publishing.states import JobStatus
from subiteya.lib import spans
from subiteya.lib.tracing import current_trace_id
from tests.publishing.conftest import reload


@pytest.fixture(autouse=True)
def kept(transactional_db: None) -> None:
    """Spans are written, as in a process that serves."""
    spans.register(SpanKeeper())


def tree(video: Video) -> str:
    """The spans of the video's trace, indented below their parents."""
    found = list(Span.objects.filter(trace_id=video.trace_id))
    lines: list[str] = []

    def walk(parent: str, depth: int) -> None:
        for one in found:
            if one.parent_id == parent:
                lines.append("  " * depth + one.name)
                walk(one.span_id, depth + 1)

    walk("", 0)
    return "\n".join(lines)


def links(span: Span) -> dict[str, str]:
    return {link["why"]: link["span_id"] for link in span.links}


MAIN_JOB = """\
publish
  send edit
  process edit
    render
    probe
    store
    send upload
  process upload
    check settings
      tiktok creator_info
    init
      tiktok video_init
    transfer
      part
        tiktok upload
  poll status
    tiktok status_fetch"""


def test_it_traces_the_main_job_below_its_submission(connect: Any, submit: Any, work: Any) -> None:
    batch = submit(connect())
    work()

    (video,) = batch.videos.all()
    assert tree(video) == MAIN_JOB
    assert not Span.objects.filter(trace_id=video.trace_id, ended_at=None).exists()


def test_it_says_of_each_call_what_tiktok_said(connect: Any, submit: Any, work: Any, tiktok: Any) -> None:
    batch = submit(connect())
    tiktok.sandbox.fault("refuse", "init", http_status=403, code="spam_risk_too_many_posts")
    work(rounds=2)

    (video,) = batch.videos.all()
    refused = Span.objects.get(trace_id=video.trace_id, name="tiktok video_init")
    asked = Span.objects.get(trace_id=video.trace_id, name="tiktok creator_info")
    assert (asked.kind, asked.status, asked.attributes["tiktok.outcome"]) == ("client", "unset", "ok")
    assert (refused.status, refused.attributes["tiktok.outcome"]) == ("error", "error")
    assert refused.attributes["tiktok.code"] == "spam_risk_too_many_posts"
    assert refused.attributes["http.response.status_code"] == 403
    assert refused.attributes["error.type"]
    assert refused.attributes["tiktok.log_id"]


def test_it_keeps_the_videos_of_a_batch_in_one_trace_apart(connect: Any, submit: Any, work: Any) -> None:
    batch = submit(connect("panaderia"), connect("verduleria"))
    work()

    first, second = batch.videos.order_by("pk")
    assert first.trace_id == second.trace_id == batch.trace_id
    assert first.traceparent == second.traceparent
    mine = Span.objects.filter(video_id=first.pk).values_list("attributes", flat=True)
    assert {attributes["subiteya.account_id"] for attributes in mine} == {first.account_id}


def test_it_links_a_run_that_was_taken_over_with_the_one_before(connect: Any, submit: Any, work: Any) -> None:
    batch = submit(connect())
    job = Job.objects.get()
    work(rounds=1)  # the edit; then pretend that its worker died in the upload
    upload = Job.objects.get(kind="upload")
    Job.objects.filter(pk=upload.pk).update(
        status=JobStatus.RUNNING, fence=1, lease_until=timezone.now() - timedelta(minutes=1)
    )

    reconcile_tick()
    work()

    taken_over = Span.objects.get(name="job_take_over")
    run = Span.objects.get(name="process upload")
    tick = Span.objects.filter(name="reconcile").first()
    assert taken_over.trace_id == run.trace_id == batch.trace_id != tick.trace_id
    assert links(run)["previous"] == upload.traceparent.split("-")[2]
    assert links(taken_over) == {"previous": links(run)["previous"], "asked": tick.span_id}
    assert taken_over.span_id in {link["span_id"] for link in tick.links}
    assert job.trace_id == batch.trace_id


def test_it_leaves_no_span_of_a_round_that_touched_nothing() -> None:
    reconcile_tick()
    Span.objects.all().delete()

    for _round in range(3):
        reconcile_tick()

    assert not Span.objects.exists()


def test_it_gives_a_simple_worker_the_trace_and_takes_it_back(
    redis: Any, connect: Any, submit: Any, caplog: pytest.LogCaptureFixture
) -> None:
    batch = submit(connect())
    queue = get_queue("edit")
    caplog.set_level(logging.INFO)

    SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True)

    run = Span.objects.get(name="process edit")
    sent = Span.objects.get(name="send edit", job_id=run.job_id)
    assert run.trace_id == batch.trace_id
    assert links(run)["bell"] == sent.span_id
    assert run.attributes["messaging.message.id"] == sent.attributes["messaging.message.id"]
    assert (get_contextvars(), current_trace_id()) == ({}, "")


def test_it_traces_what_a_request_changes_and_not_what_it_looks_at(client: Client, cm: Any) -> None:
    client.force_login(cm)

    looked = client.get("/videos/")
    missing = client.get("/videos/999/", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    client.post("/videos/999/cancel/")

    spans_kept = list(Span.objects.all())
    assert (looked.status_code, missing.status_code) == (200, 404)
    assert {span.kind for span in spans_kept} == {"server"}
    assert all(span.name.startswith("POST ") for span in spans_kept)
    assert missing["X-Trace-Id"] != "a" * 32  # a stranger's trace is not ours


@pytest.fixture
def no_table() -> Iterator[None]:
    """The table of the spans is not there."""
    with connection.schema_editor() as editor:
        editor.alter_db_table(Span, "monitoring_span", "monitoring_hidden")
    yield
    with connection.schema_editor() as editor:
        editor.alter_db_table(Span, "monitoring_hidden", "monitoring_span")


def test_it_publishes_when_spans_cannot_be_kept(
    no_table: None, connect: Any, submit: Any, work: Any, caplog: pytest.LogCaptureFixture
) -> None:
    batch = submit(connect())
    work()

    assert reload(batch.videos.get()).status == "posted"
    assert caplog.text.count("spans_not_kept") == 1
