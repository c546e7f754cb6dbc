"""The list's filters: which videos they leave, what they are called, which of them hides everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date

from publishing.models import Video
from publishing.models.video import VideoQuerySet
from publishing.states import FAMILIES, Family

#: Days that move with the calendar, so that a saved filter stays true: days from today.
DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1, "week_ago": -7, "in_a_week": 7}
#: Beyond these there is no video, and in some zone not even a date.
YEARS = range(2000, 3000)
#: In the order in which they are shown. `on`, `since` and `until` are one: a range of days.
NAMES = ("family", "status", "cause", "account", "batch", "on", "since", "until", "q")


def day_of(text: str) -> date | None:
    """The day that a filter names, in the agency's zone; None for nonsense."""
    if text in DAYS:
        return timezone.localdate(timezone=timezone.get_default_timezone()) + timedelta(days=DAYS[text])
    try:
        day = parse_date(text)
    except ValueError:  # 2026-02-30
        return None
    return day if day and day.year in YEARS else None


def videos_matching(user: Any, asked: Mapping[str, Any]) -> VideoQuerySet:
    """The videos that `user` may see and that pass every filter in `asked`; those that are empty do nothing.

    `family`, `status`, `cause` (the code), `account` and `batch` (keys), `since` and `until` (days, both included) of
    the moment `on` ("created" or "scheduled"), `q`: text, account, file, post id or trace id.
    """
    return passing(Video.objects.for_user(user), asked)


def passing(videos: VideoQuerySet, asked: Mapping[str, Any], words: Q | None = None) -> VideoQuerySet:
    """Those of `videos` that pass every filter in `asked`. `words`: the same as `q`, where it is known better."""
    for name, lookup in _LOOKUPS.items():
        if asked.get(name):
            videos = videos.filter(**{lookup: asked[name]})
    if asked.get("family"):
        videos = videos.filter(status__in=sorted(FAMILIES[Family(asked["family"])]))
    if asked.get("q"):
        videos = videos.filter(having_words(asked["q"]) if words is None else words)
    return videos.filter(days_of(asked))


_LOOKUPS = {"status": "status", "cause": "reason_code", "account": "account", "batch": "batch"}


def statuses_of(asked: Mapping[str, Any]) -> frozenset[str] | None:
    """Those that `status` and `family` leave together; None when neither is asked for."""
    ways: list[frozenset[str]] = [frozenset({asked["status"]})] if asked.get("status") else []
    if asked.get("family"):
        ways.append(frozenset(FAMILIES[Family(asked["family"])]))
    return frozenset.intersection(*ways) if ways else None


def moment_of(asked: Mapping[str, Any]) -> str:
    """The field whose days are asked for, by which the list is then ordered; empty without days."""
    days = [day_of(asked.get(name, "")) for name in ("since", "until")]
    if not any(days):
        return ""
    return "scheduled_at" if asked.get("on") == "scheduled" else "created_at"


def span_of(asked: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The first moment of `since`, and the first one after `until`; None where there is no such day."""
    first, last = day_of(asked.get("since", "")), day_of(asked.get("until", ""))
    return _midnight(first) if first else None, _midnight(last + timedelta(days=1)) if last else None


def days_of(asked: Mapping[str, Any]) -> Q:
    """`since` and `until`, of the moment `on`."""
    moment, (first, end), days = moment_of(asked), span_of(asked), Q()
    if first:
        days &= Q(**{f"{moment}__gte": first})
    if end:
        days &= Q(**{f"{moment}__lt": end})
    return days


def having_words(query: str) -> Q:
    """In any of these places; `publishing.selectors.words` looks into the same by their indexes."""
    words = Q(caption__icontains=query) | Q(account__username__icontains=query.lstrip("@"))
    return words | Q(batch__source__original_name__icontains=query) | Q(trace_id=query) | Q(post_id=query)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
