"""What became of the videos: by status, by day, by cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, QuerySet, Value
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import TikTokAccount
from monitoring.selectors.summaries import Accounts, Counted, beginning_here, by_name, sums_daily, sums_now
from publishing.models import Video, VideoEvent
from publishing.selectors.videos import cause_text
from publishing.states import FAMILIES, SUBTITLE_VARIANTS, Family, VideoStatus

FAILED = sorted(FAMILIES[Family.ATTENTION])
RATE_WINDOW = timedelta(days=30)
RECENT = 20
#: What is read of a video that is stuck, to say so.
READ = (
    "status", "reason_code", "reason_detail", "time_zone", "trace_id", "updated_at", "account__username",
)  # fmt: skip


@dataclass(frozen=True)
class Day:
    """What happened on one day of the agency's time zone: videos submitted, published by TikTok, ended in red."""

    day: date
    created: int
    processed: int
    failed: int


@dataclass(frozen=True)
class Rate:
    """`published` of `ended` videos; `rate` is None while none ended."""

    published: int
    ended: int

    @property
    def rate(self) -> float | None:
        return self.published / self.ended if self.ended else None


@dataclass(frozen=True)
class Failure:
    """A video that waits for a person. `code` and `sentence` are the catalogue's."""

    video: int
    account: str
    status: str
    code: str
    sentence: str
    trace_id: str
    when: datetime


def video_status(sums: Iterable[Counted] | None = None) -> dict[str, int]:
    """Status → videos, in the order of the state machine, zeros included; `sums` of now for who has them already."""
    found = by_name(sums_now() if sums is None else sums, "video")
    return {status: found.get(status, 0) for status in VideoStatus.values}


def daily_throughput(days: int = 7, accounts: Accounts = None) -> list[Day]:
    """The last `days` days, today included, oldest first. A video that fails twice in a day counts once.

    Of all accounts from the sums, of `accounts` from their rows: there the days of one account are few.
    """
    return throughput_of(throughput_rows(days, accounts), days)


def throughput_rows(days: int, accounts: Accounts) -> QuerySet[Any, Any]:
    """Rows of `(what, day, n)` for `throughput_of`, one query."""
    first = first_of(days)
    return sums_daily(first) if accounts is None else _counted(first, accounts)


def throughput_of(rows: Iterable[Counted], days: int) -> list[Day]:
    """The last `days` days of `throughput_rows`; rows of other days and names are passed over."""
    found: Counter[tuple[str, date]] = Counter()
    for what, day, n in rows:
        found["processed" if what.startswith("posted:") else what, day] += n
    every = [first_of(days) + timedelta(days=number) for number in range(days)]
    return [Day(day, *(found[name, day] for name in ("created", "processed", "failed"))) for day in every]


def first_of(days: int) -> date:
    """The first of `days` days in the agency's time zone, of which today is the last."""
    return timezone.localdate() - timedelta(days=days - 1)


def _counted(first: date, accounts: QuerySet[TikTokAccount]) -> QuerySet[Any, Any]:
    since, rows = start_of(first), videos_of(accounts)
    created = _per_day("created", rows.filter(created_at__gte=since), "created_at", Count("*"))
    processed = _per_day("processed", rows.filter(posted_at__gte=since), "posted_at", Count("*"))
    failed = _per_day("failed", failures(since, accounts), "at", Count("video", distinct=True))
    return created.union(processed, failed, all=True)


def _per_day(name: str, rows: QuerySet[Video] | QuerySet[VideoEvent], moment: str, n: Count) -> QuerySet[Any, Any]:
    """Rows of `(what, day, n)`. Where `n` names no column, an index by account and moment has all that is asked."""
    return rows.order_by().annotate(what=Value(name), day=TruncDate(moment)).values_list("what", "day").annotate(n=n)


def videos_of(accounts: Accounts) -> QuerySet[Video]:
    """The videos of `accounts`, or all."""
    return Video.objects.all() if accounts is None else Video.objects.filter(account__in=accounts.order_by())


def start_of(day: date) -> datetime:
    """Midnight of `day` in the agency's time zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def failures(since: datetime, accounts: Accounts = None) -> QuerySet[VideoEvent]:
    """Each time that a video ended in red since then; one that an undo put back there did so before."""
    events = VideoEvent.objects.filter(new__in=FAILED, at__gte=since).exclude(old=F("new")).order_by()
    return beginning_here(events.exclude(code="undone"), accounts)


def publish_success_rate(accounts: Accounts = None, sums: Iterable[Counted] | None = None) -> dict[str, Rate]:
    """`all` and each subtitle variant → of the videos that ended in the last 30 days, those that TikTok published.

    What a video is now counts: one that failed, was retried and went out is published. Videos that a person
    cancelled, or that wait in TikTok's inbox, did not end. `sums` from `rate_begins` on for who has them already.
    """
    since = timezone.now() - RATE_WINDOW
    found = _ended(since, None, accounts) if accounts is not None else _ended_by_sums(since, sums)
    rates = {
        variant: Rate(found["posted", variant], found["posted", variant] + found["stuck", variant])
        for variant in map(str, SUBTITLE_VARIANTS)
    }
    total = Rate(sum(rate.published for rate in rates.values()), sum(rate.ended for rate in rates.values()))
    return {"all": total, **rates}


def rate_begins() -> date:
    """The first of the days whose sums `publish_success_rate` adds up."""
    return timezone.localdate(timezone.now() - RATE_WINDOW) + timedelta(days=1)


def _ended_by_sums(since: datetime, sums: Iterable[Counted] | None) -> Counter[tuple[str, str]]:
    """The rows of the first day, which is not a whole one, and the sums of the days after it."""
    tomorrow = timezone.localdate(since) + timedelta(days=1)
    found = _ended(since, start_of(tomorrow), None)
    for what, day, n in sums_daily(tomorrow) if sums is None else sums:
        if day >= tomorrow:
            name, _colon, variant = what.partition(":")
            found[name, variant] += n
    return found


def _ended(since: datetime, until: datetime | None, accounts: Accounts) -> Counter[tuple[str, str]]:
    """`("posted" or "stuck", variant)` → videos that ended from `since` on, and before `until`."""
    rows = videos_of(accounts).order_by()
    posted, stuck = rows.filter(posted_at__gte=since), rows.filter(status__in=FAILED, updated_at__gte=since)
    if until is not None:
        posted, stuck = posted.filter(posted_at__lt=until), stuck.filter(updated_at__lt=until)
    counted = [
        part.annotate(name=Value(name)).values_list("name", "subtitle_variant").annotate(n=Count("pk"))
        for name, part in (("posted", posted), ("stuck", stuck))
    ]
    return Counter({(name, variant): n for name, variant, n in counted[0].union(counted[1], all=True)})


def recent_failures(limit: int = RECENT) -> list[Failure]:
    """The videos that are stuck now, the latest first, each with its cause."""
    stuck = Video.objects.stuck().filter(status__in=FAILED).select_related("account").only(*READ)
    return [
        Failure(
            video=video.pk, account=video.account.username, status=video.status, code=video.reason_code,
            sentence=cause_text(video.reason_code, video.reason_detail, video),
            trace_id=video.trace_id, when=video.updated_at,
        )
        for video in stuck.order_by("-updated_at", "-pk")[:limit]
    ]  # fmt: skip
