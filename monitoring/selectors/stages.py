"""How long the work takes, by stage, over the last day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.models import Job, UploadSession, Video
from publishing.states import JobKind, JobStatus

WINDOW = timedelta(days=1)
#: The latest so many are measured: a percentile of more says nothing else.
SAMPLE = 10_000
Accounts = QuerySet[TikTokAccount] | None
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Stage:
    """Seconds; None where nothing was measured."""

    count: int
    average: float | None
    p50: float | None
    p95: float | None


def processing_seconds(since: datetime | None = None, accounts: Accounts = None) -> dict[str, Stage]:
    """`edit`, `upload`, `verify` and `total` → how long they took for what ended since then (a day ago).

    `total` is from the submission, or from the hour that the video was scheduled for, to TikTok's *published*.
    Of all accounts, or of `accounts`.
    """
    since = since or timezone.now() - WINDOW
    return {
        "edit": _stage(_edits(since, accounts)),
        "upload": _stage(_uploads(since, accounts)),
        "verify": _stage(_verdicts(since, accounts)),
        "total": _stage(_totals(since, accounts)),
    }


def _stage(spans: Iterable[timedelta]) -> Stage:
    seconds = sorted(max(0.0, span.total_seconds()) for span in spans)
    if not seconds:
        return Stage(0, None, None, None)
    return Stage(len(seconds), fmean(seconds), percentile(seconds, 0.5), percentile(seconds, 0.95))


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` of the ordered values lie, between the two nearest in proportion."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _edits(since: datetime, accounts: Accounts) -> list[timedelta]:
    done = Job.objects.filter(
        kind=JobKind.EDIT, status=JobStatus.SUCCEEDED, finished_at__gte=since, started_at__isnull=False
    )
    return [
        end - start
        for start, end in _latest(
            _of(done, "video__account", accounts).order_by("-finished_at"), "started_at", "finished_at"
        )
    ]


def _uploads(since: datetime, accounts: Accounts) -> list[timedelta]:
    sent = UploadSession.objects.filter(sent_at__gte=since)
    return [
        end - start for start, end in _latest(_of(sent, "account", accounts).order_by("-sent_at"), "init_at", "sent_at")
    ]


def _verdicts(since: datetime, accounts: Accounts) -> list[timedelta]:
    settled = UploadSession.objects.filter(settled_at__gte=since, sent_at__isnull=False)
    return [
        end - start
        for start, end in _latest(_of(settled, "account", accounts).order_by("-settled_at"), "sent_at", "settled_at")
    ]


def _totals(since: datetime, accounts: Accounts) -> list[timedelta]:
    posted = Video.objects.filter(posted_at__gte=since).order_by("-posted_at")
    rows = _latest(_of(posted, "account", accounts), "created_at", "scheduled_at", "posted_at")
    return [end - max(filter(None, (created, due))) for created, due, end in rows]


def _of(rows: QuerySet[Row], path: str, accounts: Accounts) -> QuerySet[Row]:
    return rows if accounts is None else rows.filter(**{f"{path}__in": accounts.order_by()})


def _latest(rows: object, *fields: str) -> list[tuple[datetime, ...]]:
    return list(rows.values_list(*fields)[:SAMPLE])  # type: ignore[attr-defined]
