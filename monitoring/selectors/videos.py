"""What became of the videos: by status, by day, by cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from publishing.models import Video, VideoEvent
from publishing.selectors.videos import cause_text
from publishing.states import FAMILIES, Family, SubtitleChoice, VideoStatus

FAILED = sorted(FAMILIES[Family.ATTENTION])
OUTCOMES = [VideoStatus.POSTED, *FAILED]
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
    failures = _events(rows, FAILED, since)
    created = _per_day(rows.filter(created_at__gte=since), "created_at", "pk")
    processed = _per_day(rows.filter(posted_at__gte=since), "posted_at", "pk")
    failed = _per_day(failures, "at", "video")
    every = [first + timedelta(days=number) for number in range(days)]
    return [Day(day, created.get(day, 0), processed.get(day, 0), failed.get(day, 0)) for day in every]


def _per_day(rows: QuerySet[Video] | QuerySet[VideoEvent], moment: str, what: str) -> dict[date, int]:
    counted = rows.order_by().annotate(day=TruncDate(moment)).values_list("day")
    return dict(counted.annotate(n=Count(what, distinct=True)))


def start_of(day: date) -> datetime:
    """Midnight of `day` in the agency's time zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def _events(videos: QuerySet[Video], statuses: Iterable[str], since: datetime) -> QuerySet[VideoEvent]:
    """Arrivals at one of `statuses`. Narrowed to `videos` only when they are not all."""
    events = VideoEvent.objects.filter(new__in=list(statuses), at__gte=since).exclude(old=F("new"))
    return events.filter(video__in=videos.order_by().values("pk")) if videos.query.where else events


def ended_since(since: datetime, videos: QuerySet[Video] | None = None) -> tuple[int, int]:
    """`(published, failed)` videos since then."""
    rows = Video.objects.all() if videos is None else videos
    published = rows.filter(posted_at__gte=since).count()
    return published, _events(rows, FAILED, since).order_by().values("video").distinct().count()


def publish_success_rate(videos: QuerySet[Video] | None = None) -> dict[str, Rate]:
    """`all` and each subtitle variant → of the videos that ended in the last 30 days, those that TikTok published.

    What a video is now counts: one that failed, was retried and went out is published. Videos that a person
    cancelled, or that wait in TikTok's inbox, did not end.
    """
    rows = Video.objects.all() if videos is None else videos
    since = timezone.now() - RATE_WINDOW
    ended = _events(rows, OUTCOMES, since).filter(video__status=F("new"))
    counted = ended.order_by().values_list("video__subtitle_variant", "new").annotate(n=Count("video", distinct=True))
    found = {(variant, status): n for variant, status, n in counted}
    rates = {
        variant: Rate(
            found.get((variant, VideoStatus.POSTED), 0), sum(found.get((variant, status), 0) for status in OUTCOMES)
        )
        for variant in SubtitleChoice.values
    }
    total = Rate(sum(rate.published for rate in rates.values()), sum(rate.ended for rate in rates.values()))
    return {"all": total, **rates}


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
