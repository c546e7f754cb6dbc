"""What the daily summary of a person says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from notices.models import NoticePreferences
from publishing.causes import sentence
from publishing.clocks import readable
from publishing.models import Video
from publishing.states import FAMILIES, Family, VideoStatus

#: Of each part; what is left out is counted.
MOST = 20
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Videos of one account that wait, or need somebody, for one reason. `query`: the list's filters for them."""

    account: str
    sentence: str
    count: int
    query: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`published` and `today` hold at most MOST videos; the counts hold all of them."""

    published: list[Video]
    published_count: int
    needs: list[Cause]
    waits: list[Cause]
    today: list[Video]
    today_count: int

    def __bool__(self) -> bool:
        return bool(self.published_count or self.needs or self.waits or self.today_count)


def summary_of(person: User, wants: NoticePreferences, now: datetime) -> Summary:
    """The 24 hours before `now`, how it stands, and the rest of the person's day: six queries."""
    videos = Video.objects.for_user(person)
    if not wants.all_accounts:
        videos = videos.filter(account__managers=person)
    videos = videos.select_related("account", "batch__source").order_by("pk")
    midnight = datetime.combine(now.astimezone(wants.zone).date() + DAY, time.min, tzinfo=wants.zone)
    published = videos.filter(posted_at__gt=now - DAY, posted_at__lte=now).order_by("-posted_at")
    today = videos.filter(status=VideoStatus.SCHEDULED, scheduled_at__gte=now, scheduled_at__lt=midnight)
    waiting = FAMILIES[Family.WAITING] | {VideoStatus.DEFERRED, VideoStatus.IN_INBOX}
    return Summary(
        published=list(published[:MOST]),
        published_count=published.count(),
        needs=_causes(videos.filter(status__in=sorted(FAMILIES[Family.ATTENTION]))),
        waits=_causes(videos.filter(status__in=sorted(waiting))),
        today=list(today.order_by("scheduled_at")[:MOST]),
        today_count=today.count(),
    )


def _causes(videos: QuerySet[Video]) -> list[Cause]:
    """Grouped by account, status and cause, the largest group first."""
    first: dict[tuple[int, str, str], Video] = {}
    counts: Counter[tuple[int, str, str]] = Counter()
    for video in videos.iterator(chunk_size=500):
        key = (video.account_id, video.status, video.reason_code)
        first.setdefault(key, video)
        counts[key] += 1
    return [_cause(first[key], count) for key, count in counts.most_common(MOST)]


def _cause(video: Video, count: int) -> Cause:
    detail: dict[str, Any] = readable({"account": str(video.account)} | video.reason_detail, video.time_zone)
    words = sentence(video.reason_code, detail) or str(VideoStatus(video.status).label)
    return Cause(account=str(video.account), sentence=words, count=count, query=list_address(video))


def list_address(video: Video) -> str:
    """The list of the videos that stand as `video` does, for the same cause on the same account."""
    filters = {"account": str(video.account_id), "status": video.status, "cause": video.reason_code}
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"{reverse('publishing:video_list')}?{query}"
