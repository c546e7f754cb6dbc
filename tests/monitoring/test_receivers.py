"""What is counted when videos are really published: through the sandbox, to the digit."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.models import TikTokFailure
from monitoring.services.counters import counters, histogram_of, series_of
from publishing.states import VideoStatus
from subiteya.tiktok import TikTokUnavailable
from tests.publishing.conftest import *  # noqa: F403
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db


def seen(metric: str) -> dict[tuple[str, ...], float]:
    return {labels: value for labels, value in series_of(metric, counters()).items() if value}


def test_it_counts_a_video_from_its_submission_to_its_end(tiktok: Any, connect: Any, submit: Any, work: Any) -> None:
    video = submit(connect()).videos.get()
    work()

    assert reload(video).status == VideoStatus.POSTED
    assert seen("videos_total") == {("submitted",): 1, ("posted",): 1}
    assert seen("subiteya_jobs_finished_total") == {("edit", "succeeded"): 1, ("upload", "succeeded"): 1}
    assert seen("subiteya_uploaded_bytes_total") == {(): reload(video).edited.size}
    assert seen("tiktok_api_failures_total") == {}
    for stage in ("edit", "upload", "verify"):
        buckets, _total = histogram_of(f"{stage}_duration_seconds", counters())[()]
        assert buckets[-1] == ("+Inf", 1)


def test_it_counts_every_call_as_the_sandbox_heard_it(tiktok: Any, connect: Any, submit: Any, work: Any) -> None:
    submit(connect())
    work()

    calls = seen("tiktok_api_requests_total")

    assert calls["creator_info", "ok"] == 1
    assert calls["video_init", "ok"] == 1
    assert calls["upload", "ok"] == 1
    assert calls["status_fetch", "ok"] >= 1
    assert not [labels for labels in calls if labels[1] == "error"]


def test_it_keeps_every_failure_with_its_account(tiktok: Any, connect: Any, submit: Any, work: Any) -> None:
    account = connect()
    tiktok.sandbox.fault("refuse", "init", times=2, http_status=500)
    video = submit(account).videos.get()
    work()

    failures = list(TikTokFailure.objects.order_by("pk"))

    assert reload(video).status == VideoStatus.POSTED
    assert [(row.endpoint, row.reason, row.account_id) for row in failures] == [
        ("video_init", TikTokUnavailable.reason, account.pk)
    ] * 2
    assert all(row.log_id and row.status == 500 for row in failures)
    assert seen("tiktok_api_failures_total") == {("video_init", "unavailable"): 2}


def test_it_does_not_blame_tiktok_for_where_to_go_on(tiktok: Any, connect: Any, submit: Any, work: Any) -> None:
    """A 416 says how far TikTok is, and is the protocol's own way to resume."""
    tiktok.sandbox.fault("drop_after", "chunk", times=1)
    submit(connect())
    work()

    failures = seen("tiktok_api_failures_total")

    assert failures == {("upload", "unavailable"): 1}
    assert TikTokFailure.objects.count() == 1
