"""One trace from the submission to TikTok's last word: the spans of the main job, kept in the database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone
from rq import SimpleWorker
from structlog.contextvars import get_contextvars

from accounts.models import User
from monitoring.models import Span
from monitoring.services.spans import SpanKeeper
from publishing.models import Job, Video
from publishing.queues import get_queue
from publishing.services.circuits import circuit_of
from publishing.services.reconcile import reconcile_tick
from publishing.states import CircuitState, JobStatus
from subiteya.lib import spans
from subiteya.lib.tracing import current_trace_id
from tests.publishing.conftest import reload
from tests.publishing.test_webhooks import send


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
    fetch
    init
      tiktok video_init
    transfer
      part
        tiktok upload
  poll status
    tiktok status_fetch"""


@pytest.mark.usefixtures("redis")  # of a bell that nobody hears there is no span
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


@pytest.mark.usefixtures("redis")  # of a bell that nobody hears there is no span
def test_it_links_a_person_s_retry_with_the_request_and_the_run_before(
    client: Client, cm: User, connect: Any, submit: Any, work: Any, tiktok: Any
) -> None:
    video = submit(connect()).videos.get()
    tiktok.sandbox.fault("refuse", "init", http_status=403, code="reached_active_user_cap")
    tiktok.sandbox.fault("refuse", "init", http_status=400, code="invalid_params")
    work()
    before = Span.objects.filter(name="process upload").last()
    client.force_login(cm)

    answer = client.post(f"/videos/{video.pk}/retry/")
    work()

    assert reload(video).status == "posted"
    run = Span.objects.filter(name="process upload").last()
    sent = Span.objects.filter(name="send upload").last()
    request = Span.objects.get(kind="server")
    assert request.trace_id == answer["X-Trace-Id"] != video.trace_id
    assert run.trace_id == sent.trace_id == video.trace_id
    assert links(run) == {"follows": request.span_id, "previous": before.span_id}
    assert links(sent) == {"asked": request.span_id}
    assert set(video.events.values_list("trace_id", flat=True)) == {video.trace_id}


@pytest.mark.usefixtures("redis")  # of a bell that nobody hears there is no span
def test_it_links_what_a_webhook_calls_with_the_webhook(
    client: Client, settings: Any, connect: Any, submit: Any, work: Any
) -> None:
    video = submit(connect()).videos.get()
    work(rounds=2)
    session = video.uploads.get()

    send(client, settings, "post.publish.complete", content={"publish_id": session.publish_id})

    webhook = Span.objects.get(kind="server")
    sent = Span.objects.filter(name="send upload").last()
    assert (sent.trace_id, sent.video_id) == (video.trace_id, video.pk)
    assert links(sent) == {"asked": webhook.span_id}


def test_it_marks_the_only_try_of_a_paused_account(
    connect: Any, submit: Any, work: Any, tiktok: Any, settings: Any
) -> None:
    account = connect()
    batches = [submit(account) for _each in range(3)]
    tiktok.sandbox.fault("refuse", "init", times=3, http_status=500)
    work(rounds=2)
    assert circuit_of(account).state == CircuitState.OPEN
    with time_machine.travel(circuit_of(account).open_until + timedelta(seconds=1), tick=True):
        reconcile_tick()
        work(rounds=1)

    tried = Span.objects.get(name="circuit probe")
    run = Span.objects.get(span_id=tried.parent_id)
    assert tried.attributes["subiteya.probe"] == 1
    assert run.trace_id == batches[0].trace_id
    assert "previous" in links(run)


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
    client.get("/videos/")  # the first look reads templates; what is slow is kept
    Span.objects.all().delete()

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
