"""When several accounts are paused at once, TikTok is ill and not they: one account tries first."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from publishing.models import AccountCircuit, CircuitEvent, Job, TikTokOutage, UploadSession
from publishing.pace import paced
from publishing.states import CircuitState, JobKind, JobStatus

logger = logging.getLogger(__name__)

#: This many accounts, and this share of those that uploaded within the hour, paused within the window.
ACCOUNTS, SHARE = 3, 0.5
TOGETHER = paced(timedelta(minutes=10))
ACTIVE = paced(timedelta(hours=1))
WAITING = [JobStatus.HELD, JobStatus.QUEUED, JobStatus.RUNNING]
PAUSED = [CircuitState.OPEN, CircuitState.HALF_OPEN]


def current_outage() -> TikTokOutage | None:
    """The outage that goes on now."""
    return TikTokOutage.objects.filter(closed_at=None).first()


def outage_check(now: datetime) -> None:
    """A circuit has just opened: is it one too many? Writes one outage, however often it is called."""
    paused = AccountCircuit.objects.filter(state__in=PAUSED, opened_at__gt=now - TOGETHER).count()
    if paused < ACCOUNTS or paused < SHARE * _active(now):
        return
    try:
        with transaction.atomic():
            TikTokOutage.objects.create(opened_at=now, accounts=paused)
    except IntegrityError:
        return  # it is known already
    logger.error("tiktok_outage_began", extra={"accounts": paused})


def _active(now: datetime) -> int:
    """How many accounts have tried to upload within the hour."""
    since = now - ACTIVE
    started = UploadSession.objects.filter(init_at__gt=since).values_list("account")
    failed = CircuitEvent.objects.filter(counted=True, at__gt=since).values_list("account")
    return started.order_by().union(failed.order_by()).count()


def is_canary(circuit: AccountCircuit, now: datetime) -> bool:
    """May this account try? While an outage goes on only one may: the first to be due that has something to send.

    Call it in a transaction: the outage's row is locked, so that two accounts decide one after the other.
    """
    if not TikTokOutage.objects.select_for_update().filter(closed_at=None).exists():
        return True
    others = AccountCircuit.objects.exclude(pk=circuit.pk)
    if others.filter(state=CircuitState.HALF_OPEN, probe_until__gt=now).exists():
        return False
    waits = Job.objects.filter(kind=JobKind.UPLOAD, status__in=WAITING, video__account=OuterRef("pk"))
    candidates = AccountCircuit.objects.filter(Exists(waits) | Q(pk=circuit.pk), state__in=PAUSED)
    first = candidates.order_by("open_until", "pk").first()
    return first is not None and first.pk == circuit.pk


def outage_end(*, by_probe: bool) -> bool:
    """An account publishes again. A probe that went through ends the outage; so does the last reset by a person."""
    if not by_probe and AccountCircuit.objects.filter(state__in=PAUSED).exists():
        return False
    ended = TikTokOutage.objects.filter(closed_at=None).update(closed_at=timezone.now())
    if ended:
        logger.warning("tiktok_outage_ended")
    return bool(ended)
