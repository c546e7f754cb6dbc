"""The row of each direct post: made at its submission, decided when its day is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import DatabaseError, transaction
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from insights.models import Outcome, Publication
from insights.services.counts import first_count_at
from insights.services.topics import spellings_choose, topics_keep
from publishing.models import Video, VideoEvent
from publishing.states import FAMILIES, HELD_BY_PERSON, Family, PostMode, PrivacyLevel, VideoStatus

logger = logging.getLogger(__name__)

#: In time is: TikTok says PUBLISH_COMPLETE within a day of the hour that was asked for.
IN_TIME = timedelta(hours=24)
#: How far back the tick looks for rows that a crash or a failed savepoint left out.
LOOK_BACK = timedelta(days=2)
AT_ONCE = 500
#: How many videos of history are looked at in one step: a step costs the same however many there are.
HISTORY_AT_ONCE = 2_000


def safely(step: Callable[[Video], None], video: Video) -> bool:
    """Take `step` in a savepoint: what is learnt from a video must never stop it. The tick makes it good.

    Whether it was taken.
    """
    try:
        with transaction.atomic():
            step(video)
    except DatabaseError as error:
        logger.warning("insight_lost", extra={"video_id": video.pk, "error": str(error).strip()})
        return False
    return True


def publication_make(video: Video) -> None:
    """The row of a video that was just submitted. A video for the inbox is published by hand, and is no unit."""
    if video.mode == PostMode.DIRECT:
        Publication.objects.get_or_create(video=video, defaults=_as_submitted(video))


def publication_moved(video: Video) -> None:
    """Note that a video needs a person, or that TikTok published it."""
    if _is_unanswered(video):
        return
    if video.status in FAMILIES[Family.ATTENTION]:
        Publication.objects.filter(video=video, has_failed=False).update(has_failed=True)
    elif video.status == VideoStatus.POSTED and video.mode == PostMode.DIRECT:
        publication_make(video)
        _posted(video)


def publications_reconcile(*, whole: bool = False) -> int:
    """Make what is missing, and decide what is due; how many rows. `whole` looks at all history, not two days."""
    if whole:
        walk = HistoryWalk()
        walk.begin()
        return sum(iter(walk.step, None)) + _decide_due()
    since = timezone.now() - LOOK_BACK
    made = _missing(Video.objects.filter(created_at__gte=since))
    return made + _posts_missed(Video.objects.filter(posted_at__gte=since)) + _decide_due()


class HistoryWalk:
    """A look at all history for what a crash or an older version left out, the newest first, step by step."""

    def __init__(self) -> None:
        self._below = 0

    def begin(self) -> None:
        """From the newest video on."""
        self._below = (Video.objects.aggregate(newest=Max("pk"))["newest"] or 0) + 1

    def step(self) -> int | None:
        """Make what is missing of the next videos; how many rows, None at the end."""
        if self._below <= 1:
            return None
        first = max(1, self._below - HISTORY_AT_ONCE)
        videos = Video.objects.filter(pk__gte=first, pk__lt=self._below, mode=PostMode.DIRECT)
        known = Publication.objects.filter(pk__gte=first, pk__lt=self._below)
        self._below = first
        # both by their keys, and compared here: PostgreSQL would join the slice with every publication there is
        posted = dict(known.order_by().values_list("pk", "posted_at"))
        rows = list(videos.order_by().values_list("pk", "posted_at"))
        missing = [pk for pk, _at in rows if pk not in posted]
        unposted = [pk for pk, at in rows if at and posted.get(pk) is None]
        made = _missing(Video.objects.filter(pk__in=missing)) if missing else 0
        return made + (_posts_missed(Video.objects.filter(pk__in=unposted)) if unposted else 0)


def spellings_refresh() -> int:
    """Show topics as they are mostly written lately; how many changed."""
    return spellings_choose()


def _as_submitted(video: Video) -> dict[str, object]:
    return {
        "account_id": video.account_id,
        "sector_id": video.account.sector_id,
        "arm": video.subtitle_variant,
        "assignment": video.subtitle_assignment,
        "due_at": video.scheduled_at or video.created_at,
    }


def _posted(video: Video) -> None:
    assert video.posted_at is not None, "the database wants the hour of what is published"
    publication = Publication.objects.get(video=video)
    if publication.posted_at is None:
        publication.posted_at = video.posted_at
        public = video.post_id and video.privacy_level == PrivacyLevel.PUBLIC_TO_EVERYONE
        publication.next_count_at = first_count_at(video.posted_at) if public else None
        publication.save(update_fields=["posted_at", "next_count_at"])
    topics_keep(publication, video.caption)


def _missing(videos: QuerySet[Video]) -> int:
    """Of these videos, those without a row: of before this app was there, or of a savepoint that failed."""
    videos = videos.filter(mode=PostMode.DIRECT, publication__isnull=True)
    made = 0
    while rows := list(videos.select_related("account").order_by("created_at", "pk")[:AT_ONCE]):
        failed = VideoEvent.objects.filter(video__in=rows, new__in=FAMILIES[Family.ATTENTION])
        red = set(failed.exclude(old=VideoStatus.AWAITING_APPROVAL).values_list("video", flat=True))
        Publication.objects.bulk_create(
            [Publication(video=row, has_failed=row.pk in red, **_as_submitted(row)) for row in rows],
            ignore_conflicts=True,
        )
        made += len(rows)
    return made


def _posts_missed(videos: QuerySet[Video]) -> int:
    """How many were made good: who calls again while there are some ends, also with one that fails each time."""
    videos = videos.filter(publication__posted_at__isnull=True, posted_at__isnull=False, mode=PostMode.DIRECT)
    return sum(safely(_posted, video) for video in videos.order_by("posted_at", "pk").iterator(AT_ONCE))


def _decide_due() -> int:
    """Decide every publication whose day is over; how many."""
    now = timezone.now()
    due = Publication.objects.filter(outcome=Outcome.IN_FLIGHT, due_at__lte=now - IN_TIME)
    approved = VideoEvent.objects.filter(video=OuterRef("video"), code="approved").order_by("-at").values("at")
    rows = list(due.annotate(approved_at=Subquery(approved[:1])).select_related("video").order_by("due_at")[:AT_ONCE])
    for row in rows:
        _decide(row, now)
    return len(rows)


def _decide(row: Any, now: datetime) -> None:
    """Compare and set: a second scheduler finds it decided."""
    later = _another_hour(row, now)
    values = {"due_at": later} if later else {"outcome": outcome_of(row)}
    Publication.objects.filter(pk=row.pk, outcome=Outcome.IN_FLIGHT, due_at=row.due_at).update(**values)


def _another_hour(row: Any, now: datetime) -> datetime | None:
    """The hour that a person gave it since, before anything failed: that was no failure of its arm."""
    video = row.video
    if row.has_failed or video.status == VideoStatus.CANCELLED:
        return None
    if row.approved_at and row.approved_at > row.due_at:  # it could not begin before
        return cast(datetime, row.approved_at)
    if row.posted_at:
        return None
    held = video.status == VideoStatus.HELD and video.reason_code == HELD_BY_PERSON
    if held or _is_unanswered(video):
        return now
    if video.scheduled_at and video.scheduled_at > row.due_at:
        return cast(datetime, video.scheduled_at)
    return None


def _is_unanswered(video: Video) -> bool:
    """It waits for an approval, or its hour passed while it did: nothing of ours has begun."""
    return video.approval_due and video.status in {VideoStatus.AWAITING_APPROVAL, VideoStatus.MISSED}


def outcome_of(row: Publication) -> Outcome:
    """What became of it within its day. What failed before it was cancelled has failed."""
    if row.posted_at:
        return Outcome.PUBLISHED if row.posted_at <= row.due_at + IN_TIME else Outcome.FAILED
    if row.video.status == VideoStatus.CANCELLED and not row.has_failed:
        return Outcome.CANCELLED
    return Outcome.FAILED
