"""What the monitor does by itself, on the scheduler's tick: remember the peak, fold the counters, forget the old."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from monitoring.models import Alert, DailyPeak, TikTokFailure
from monitoring.selectors.jobs import active_jobs
from monitoring.services.counters import FOLD_AT_ONCE, counters_fold
from monitoring.services.spans import PRUNE_AT_ONCE as SPANS_AT_ONCE
from monitoring.services.spans import spans_prune
from publishing.models import WorkerHeartbeat

FOLD_SECONDS = 10.0
PRUNE_SECONDS = 600.0
#: For how long failed calls, and daily peaks, are kept.
KEEP_FAILURES, KEEP_PEAKS = timedelta(days=90), timedelta(days=400)
KEEP_ALERTS = timedelta(days=400)
FORGET_WORKERS = timedelta(days=1)
PRUNE_AT_ONCE = 1_000
#: Most batches of one kind at a time: short statements that lock little, and a tick that ends.
BATCHES = 20
_last: dict[str, float] = {}


def keep_house() -> None:
    """One tick of the leading scheduler."""
    peak_record()
    if _is_due("fold", FOLD_SECONDS):
        _until_done(counters_fold, FOLD_AT_ONCE)
    if _is_due("prune", PRUNE_SECONDS):
        prune()


def _until_done(step: Callable[[], int], at_once: int) -> int:
    """Take `step` while it finds a full batch, but not for ever: the rest is for the next time. How many rows."""
    done = 0
    for _turn in range(BATCHES):
        rows = step()
        done += rows
        if rows < at_once:
            break
    return done


def _is_due(what: str, seconds: float) -> bool:
    now = time.monotonic()
    if now - _last.get(what, -seconds) < seconds:
        return False
    _last[what] = now
    return True


def peak_record() -> None:
    """Keep the most jobs at once of today. Nothing is written while the day's peak stands."""
    now = sum(active_jobs().values())
    today = timezone.localdate()
    day, created = DailyPeak.objects.get_or_create(day=today, defaults={"active_jobs": now})
    if not created and now > day.active_jobs:
        DailyPeak.objects.filter(pk=today).update(active_jobs=Greatest(F("active_jobs"), now))


def prune() -> int:
    """Forget failed calls, peaks, dead workers and spans past their time, a few at once; how many rows."""
    now = timezone.now()
    gone = _until_done(_failures_prune, PRUNE_AT_ONCE)
    gone += DailyPeak.objects.filter(day__lt=timezone.localdate() - KEEP_PEAKS).delete()[0]
    gone += WorkerHeartbeat.objects.filter(seen_at__lt=now - FORGET_WORKERS).delete()[0]
    gone += Alert.objects.filter(closed_at__lt=now - KEEP_ALERTS).delete()[0]
    return gone + _until_done(spans_prune, SPANS_AT_ONCE)


def _failures_prune() -> int:
    old = TikTokFailure.objects.filter(at__lt=timezone.now() - KEEP_FAILURES).order_by("at")
    return TikTokFailure.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:PRUNE_AT_ONCE])).delete()[0]
