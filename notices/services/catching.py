"""Notices that were lost, by a crash or a bug, are made up for from the events, which are the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from accounts.models import AccountEvent, AccountEventKind
from notices.models import Notice, NoticeKind
from notices.services.making import (
    CONNECTED,
    PUBLIC_AGAIN,
    RED,
    TAKEN_DOWN,
    UNDONE,
    Event,
    notice_of_account,
    notice_of_circuit,
    notice_of_video,
    notice_safely,
)
from publishing.models import CircuitEvent, VideoEvent
from publishing.services.approvals import SENT_BACK
from publishing.states import CircuitState, VideoStatus

#: Older ones are not news.
LOOK_BACK = timedelta(days=1)
AT_ONCE = 200


def notices_catch_up(now: datetime | None = None) -> int:
    """Make the notices that the last day's events lack; how many. Bad news first: recoveries refer to them."""
    since = (now or timezone.now()) - LOOK_BACK
    made = _each(notice_of_account, _lost_accounts(since))
    made += _each(notice_of_circuit, _paused(since))
    made += _each(notice_of_video, _failed(since))
    made += _each(notice_of_account, _back(since))
    made += _each(notice_of_circuit, _resumed(since))
    made += _each(notice_of_video, _approvals(since))
    return made + _each(notice_of_video, _recovered(since))


def _each(make: Callable[[Event], Notice | None], events: Iterable[Event]) -> int:
    return sum(notice_safely(make, event) is not None for event in events)


def _failed(since: datetime) -> Iterable[VideoEvent]:
    red = Q(new__in=sorted(RED)) & ~Q(old=F("new")) & ~Q(code=UNDONE)
    gone = Q(old=F("new"), code=TAKEN_DOWN)
    news = VideoEvent.objects.filter(new__in=sorted(RED | {VideoStatus.POSTED}), at__gte=since, notice=None)
    return news.filter(red | gone).select_related("video").order_by("at", "pk")[:AT_ONCE]


def _approvals(since: datetime) -> Iterable[VideoEvent]:
    asked = Q(new=VideoStatus.AWAITING_APPROVAL) & ~Q(old=F("new")) & ~Q(code=UNDONE)
    refused = Q(new=VideoStatus.CANCELLED, code=SENT_BACK)
    # Both statuses are named beside the hour, for the index: else every event of all time would be read.
    outcomes = [VideoStatus.AWAITING_APPROVAL, VideoStatus.CANCELLED]
    rows = VideoEvent.objects.filter(asked | refused, new__in=outcomes, at__gte=since, notice=None)
    return rows.select_related("video__batch").order_by("at", "pk")[:AT_ONCE]


def _recovered(since: datetime) -> Iterable[VideoEvent]:
    told = Notice.objects.filter(
        video=OuterRef("video"), kind__in=[NoticeKind.VIDEO_FAILED, NoticeKind.VIDEO_TAKEN_DOWN], at__lte=OuterRef("at")
    )
    out = Q(new=VideoStatus.POSTED) & (~Q(old=F("new")) | Q(code=PUBLIC_AGAIN))
    rows = VideoEvent.objects.filter(out, Exists(told), at__gte=since, notice=None).select_related("video")
    return rows.order_by("at", "pk")[:AT_ONCE]


def _paused(since: datetime) -> Iterable[CircuitEvent]:
    stops = [CircuitState.OPEN, CircuitState.ISOLATED]
    rows = CircuitEvent.objects.filter(~Q(old=F("new")), new__in=stops, at__gte=since, notice=None)
    return rows.select_related("account").order_by("at", "pk")[:AT_ONCE]


def _resumed(since: datetime) -> Iterable[CircuitEvent]:
    told = Notice.objects.filter(account=OuterRef("account"), kind=NoticeKind.ACCOUNT_PAUSED)
    rows = CircuitEvent.objects.filter(
        ~Q(old=F("new")), Exists(told), new=CircuitState.CLOSED, at__gte=since, notice=None
    )
    return rows.select_related("account").order_by("at", "pk")[:AT_ONCE]


def _lost_accounts(since: datetime) -> Iterable[AccountEvent]:
    rows = AccountEvent.objects.filter(kind=AccountEventKind.DISCONNECTED, at__gte=since, notice=None)
    return rows.order_by("at", "pk")[:AT_ONCE]


def _back(since: datetime) -> Iterable[AccountEvent]:
    told = Notice.objects.filter(account=OuterRef("account"), kind=NoticeKind.ACCOUNT_LOST)
    rows = AccountEvent.objects.filter(Exists(told), kind__in=CONNECTED, at__gte=since, notice=None)
    return rows.order_by("at", "pk")[:AT_ONCE]
