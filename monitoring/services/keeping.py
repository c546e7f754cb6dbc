"""What the monitor does by itself, on the scheduler's tick: remember the peak, fold the counts, forget the old.

Forgotten is what grows with the work and that nobody reads after a time. Kept for ever are batches, videos and their
events, jobs, uploads, publications, topics and the audit record: they are the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Model, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import OAuthAttempt
from monitoring.models import Alert, DailyPeak, TikTokFailure
from monitoring.selectors.jobs import active_jobs
from monitoring.services.counters import FOLD_AT_ONCE, counters_fold
from monitoring.services.spans import PRUNE_AT_ONCE as SPANS_AT_ONCE
from monitoring.services.spans import spans_prune
from monitoring.services.summaries import FOLD_AT_ONCE as SUMS_AT_ONCE
from monitoring.services.summaries import summaries_fold
from publishing.models import Act, CircuitEvent, Intake, JobEvent, WebhookReceipt, WorkerHeartbeat
from subiteya.lib.pruning import oldest_forget
from subiteya.lib.turns import Turns

FOLD_SECONDS = 10.0
PRUNE_SECONDS = 600.0
#: For how long daily peaks are kept.
KEEP_PEAKS = timedelta(days=400)
KEEP_ALERTS = timedelta(days=400)
FORGET_WORKERS = timedelta(days=1)
PRUNE_AT_ONCE = 1_000
#: Most batches of one kind at a time: short statements that lock little, and a tick that ends.
BATCHES = 20
turns = Turns()


@dataclass(frozen=True)
class Kept:
    """A table whose rows are kept for as many days as the setting says; 0: for ever. `moment` says how old a row is."""

    model: type[Model]
    moment: str
    setting: str
    at_once: int = PRUNE_AT_ONCE
    only: Q = field(default_factory=Q)

    def forget(self) -> int:
        """One batch of what is past its time; how many."""
        days = getattr(settings, self.setting)
        if not days:
            return 0
        before = timezone.now() - timedelta(days=days)
        rows = self.model._default_manager.filter(self.only)
        return oldest_forget(rows, moment=self.moment, before=before, at_once=self.at_once)


#: An act takes its items along, hundreds of them perhaps.
KEPT = (
    Kept(JobEvent, "at", "KEEP_JOB_EVENTS_DAYS"),
    Kept(TikTokFailure, "at", "KEEP_TIKTOK_FAILURES_DAYS"),
    Kept(CircuitEvent, "at", "KEEP_CIRCUIT_EVENTS_DAYS"),
    Kept(Act, "begun_at", "KEEP_ACTS_DAYS", at_once=20),
    # those that a killed process left open would stand before the others
    Kept(Intake, "ended_at", "KEEP_INTAKES_DAYS", only=Q(ended_at__isnull=False)),
    Kept(WebhookReceipt, "received_at", "KEEP_WEBHOOKS_DAYS"),
    Kept(OAuthAttempt, "created_at", "KEEP_WEBHOOKS_DAYS"),
)


def keep_house() -> None:
    """One tick of the leading scheduler."""
    peak_record()
    if turns.is_due("fold", FOLD_SECONDS):
        _until_done(counters_fold, FOLD_AT_ONCE)
        _until_done(summaries_fold, SUMS_AT_ONCE)
    if turns.is_due("prune", PRUNE_SECONDS):
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


def peak_record() -> None:
    """Keep the most jobs at once of today. Nothing is written while the day's peak stands."""
    now = sum(active_jobs().values())
    today = timezone.localdate()
    day, created = DailyPeak.objects.get_or_create(day=today, defaults={"active_jobs": now})
    if not created and now > day.active_jobs:
        DailyPeak.objects.filter(pk=today).update(active_jobs=Greatest(F("active_jobs"), now))


def prune() -> int:
    """Forget what is past its time, a few rows at once, and peaks and dead workers; how many rows."""
    now = timezone.now()
    gone = sum(_until_done(kept.forget, kept.at_once) for kept in KEPT)
    gone += DailyPeak.objects.filter(day__lt=timezone.localdate() - KEEP_PEAKS).delete()[0]
    gone += WorkerHeartbeat.objects.filter(seen_at__lt=now - FORGET_WORKERS).delete()[0]
    gone += Alert.objects.filter(closed_at__lt=now - KEEP_ALERTS).delete()[0]
    return gone + _until_done(spans_prune, SPANS_AT_ONCE)
