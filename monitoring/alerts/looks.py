"""What holds now, read from the rows: one function per alert. Exact, where Prometheus only sees samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken
from monitoring.alerts import limits
from monitoring.models import DailyPeak, TikTokFailure
from monitoring.selectors.accounts import outage_now
from monitoring.selectors.jobs import PEAK_DAYS, active_jobs, queues, workers_alive
from publishing.models import AccountCircuit, Leadership, TikTokOutage, Video, VideoEvent
from publishing.services.reconcile import LEADERSHIP
from publishing.states import VideoStatus


@dataclass(frozen=True)
class Seen:
    """A condition that holds. `labels` say for what, `detail` fills the rule's sentence."""

    value: float
    detail: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    account_id: int | None = None


Look = Callable[[datetime], Iterator[Seen]]


def failures_burst(now: datetime) -> Iterator[Seen]:
    """Failed calls to TikTok within the window, its beginning excluded."""
    rows = TikTokFailure.objects.filter(at__gt=now - limits.FAILURE_WINDOW, at__lte=now)
    count = rows.count()
    if count > limits.FAILURES:
        accounts = sorted({f"@{name}" for name in rows.values_list("account__username", flat=True) if name})
        yield Seen(count, {"count": count, "accounts": ", ".join(accounts[:5])})


def active_near_peak(now: datetime) -> Iterator[Seen]:
    """Jobs at once against the most of the last 30 days."""
    jobs = sum(active_jobs().values())
    days = DailyPeak.objects.filter(day__gt=timezone.localdate(now) - timedelta(days=PEAK_DAYS))
    peak = max(days.aggregate(peak=Max("active_jobs"))["peak"] or 0, limits.PEAK_FLOOR)
    if jobs > limits.PEAK_SHARE * peak:
        hands = sum(n for kind, n in workers_alive().items() if kind != "scheduler")
        yield Seen(jobs, {"jobs": jobs, "peak": peak, "capacity": hands})


def tokens_expiring(now: datetime) -> Iterator[Seen]:
    """Refresh tokens of connected accounts that end soon: only a person can renew them."""
    ending = OAuthToken.objects.filter(
        account__status=AccountStatus.CONNECTED, refresh_expires_at__lt=now + limits.TOKEN_LEFT
    )
    for pk, name, at in ending.values_list("account_id", "account__username", "refresh_expires_at").order_by("pk"):
        left = (at - now).total_seconds()
        detail = {"account": f"@{name}", "hours": max(0, int(left // 3600))}
        yield Seen(left, detail, {"account": name}, pk)


def circuits_open(now: datetime) -> Iterator[Seen]:
    """Accounts that take no uploads."""
    rows = AccountCircuit.objects.filter(state__in=limits.PAUSED).select_related("account").order_by("pk")
    for circuit in rows:
        detail = {"account": str(circuit.account), "state": circuit.state}
        yield Seen(1, detail, {"account": circuit.account.username}, circuit.pk)


def outage(now: datetime) -> Iterator[Seen]:
    """Several accounts were paused at once."""
    if outage_now():
        row = TikTokOutage.objects.filter(closed_at=None).first()
        yield Seen(1, {"accounts": row.accounts if row else 0})


def queued_too_long(now: datetime) -> Iterator[Seen]:
    """Queues whose oldest due job has waited for too long."""
    for queue, (count, age) in queues().items():
        if age > limits.QUEUED_TOO_LONG.total_seconds():
            yield Seen(age, {"queue": queue, "count": count, "minutes": int(age // 60)}, {"queue": queue})


def reconciler_stalled(now: datetime) -> Iterator[Seen]:
    """No scheduler has finished a round of late. One that never ran is told by its missing worker."""
    until = Leadership.objects.filter(name="reconciler").values_list("until", flat=True).first()
    if until is None:
        return
    silent = (now - (until - LEADERSHIP)).total_seconds()
    if silent > limits.RECONCILER_SILENT.total_seconds():
        yield Seen(silent, {"seconds": int(silent)})


def workers_missing(now: datetime) -> Iterator[Seen]:
    """Kinds of process of which none lives."""
    alive = workers_alive()
    for kind in limits.NEEDED_WORKERS:
        if not alive[kind]:
            yield Seen(0, {"kind": kind}, {"kind": kind})


def videos_unconfirmed(now: datetime) -> Iterator[Seen]:
    """Accounts with videos of which TikTok never said what became of them."""
    rows = Video.objects.filter(status=VideoStatus.UNCONFIRMED).order_by("account_id")
    for pk, name, count in rows.values_list("account_id", "account__username").annotate(n=Count("pk")):
        yield Seen(count, {"account": f"@{name}", "count": count}, {"account": name}, pk)


def burning(burn: limits.Burn) -> Look:
    """The look for one burn rate of the publish success."""

    def look(now: datetime) -> Iterator[Seen]:
        failed, ended = _ends(now - burn.long, now)
        if ended < limits.ENDED_AT_LEAST or failed / ended <= burn.ratio:
            return
        lately_failed, lately = _ends(now - burn.short, now)
        if lately and lately_failed / lately > burn.ratio:
            share = failed / ended
            yield Seen(share, {"failed": failed, "ended": ended, "percent": round(100 * share)})

    return look


def _ends(since: datetime, now: datetime) -> tuple[int, int]:
    """`(failed, ended)`: how often a video came to an end, as `videos_total` counts it."""
    moves = VideoEvent.objects.filter(new__in=limits.ENDS, at__gt=since, at__lte=now).exclude(old=F("new"))
    moves = moves.exclude(code="undone")
    found = dict(moves.order_by().values_list("new").annotate(n=Count("pk")))
    return sum(n for status, n in found.items() if status in limits.FAILED_ENDS), sum(found.values())
