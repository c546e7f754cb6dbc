"""What became of the videos: by status, by day, by cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from publishing.models import Video, VideoEvent
from publishing.selectors.videos import cause_text
from publishing.states import FAMILIES, Family, SubtitleChoice, VideoStatus

FAILED = sorted(FAMILIES[Family.ATTENTION])
RATE_WINDOW = timedelta(days=30)
RECENT = 20


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


def video_status(videos: QuerySet[Video] | None = None) -> dict[str, int]:
    """Status → videos, in the order of the state machine, zeros included."""
    rows = (Video.objects.all() if videos is None else videos).order_by().values_list("status")
    found = dict(rows.annotate(n=Count("pk")))
    return {status: found.get(status, 0) for status in VideoStatus.values}


def daily_throughput(days: int = 7, videos: QuerySet[Video] | None = None) -> list[Day]:
    """The last `days` days, today included, oldest first. A video that fails twice in a day counts once."""
    rows = Video.objects.all() if videos is None else videos
    first = timezone.localdate() - timedelta(days=days - 1)
    since = start_of(first)
    created = _per_day(rows.filter(created_at__gte=since), "created_at", "pk")
    processed = _per_day(rows.filter(posted_at__gte=since), "posted_at", "pk")
    failed = _per_day(failures(since, rows), "at", "video")
    every = [first + timedelta(days=number) for number in range(days)]
    return [Day(day, created.get(day, 0), processed.get(day, 0), failed.get(day, 0)) for day in every]


def _per_day(rows: QuerySet[Video] | QuerySet[VideoEvent], moment: str, what: str) -> dict[date, int]:
    counted = rows.order_by().annotate(day=TruncDate(moment)).values_list("day")
    return dict(counted.annotate(n=Count(what, distinct=True)))


def start_of(day: date) -> datetime:
    """Midnight of `day` in the agency's time zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def failures(since: datetime, videos: QuerySet[Video] | None = None) -> QuerySet[VideoEvent]:
    """Each time that a video ended in red since then."""
    events = VideoEvent.objects.filter(new__in=FAILED, at__gte=since).exclude(old=F("new")).order_by()
    if videos is None or not videos.query.where:  # all of them: the index alone answers
        return events
    return events.filter(video__in=videos.order_by().values("pk"))


def ended_since(since: datetime, videos: QuerySet[Video] | None = None) -> tuple[int, int]:
    """`(published, failed)` videos since then."""
    rows = Video.objects.all() if videos is None else videos
    failed = failures(since, rows).aggregate(n=Count("video", distinct=True))["n"]
    return rows.filter(posted_at__gte=since).count(), failed


def publish_success_rate(videos: QuerySet[Video] | None = None) -> dict[str, Rate]:
    """`all` and each subtitle variant → of the videos that ended in the last 30 days, those that TikTok published.

    What a video is now counts: one that failed, was retried and went out is published. Videos that a person
    cancelled, or that wait in TikTok's inbox, did not end.
    """
    rows = Video.objects.all() if videos is None else videos
    since = timezone.now() - RATE_WINDOW
    published = _by_variant(rows.filter(posted_at__gte=since))
    stuck = _by_variant(rows.filter(status__in=FAILED, updated_at__gte=since))
    rates = {
        variant: Rate(published.get(variant, 0), published.get(variant, 0) + stuck.get(variant, 0))
        for variant in SubtitleChoice.values
    }
    total = Rate(sum(rate.published for rate in rates.values()), sum(rate.ended for rate in rates.values()))
    return {"all": total, **rates}


def _by_variant(videos: QuerySet[Video]) -> dict[str, int]:
    return dict(videos.order_by().values_list("subtitle_variant").annotate(n=Count("pk")))


def recent_failures(limit: int = RECENT, videos: QuerySet[Video] | None = None) -> list[Failure]:
    """The videos that are stuck now, the latest first, each with its cause."""
    rows = Video.objects.all() if videos is None else videos
    stuck = rows.filter(status__in=FAILED).select_related("account").order_by("-updated_at", "-pk")
    return [
        Failure(
            video=video.pk, account=video.account.username, status=video.status, code=video.reason_code,
            sentence=cause_text(video.reason_code, video.reason_detail, video),
            trace_id=video.trace_id, when=video.updated_at,
        )
        for video in stuck[:limit]
    ]  # fmt: skip
