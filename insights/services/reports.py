"""The subtitle report for whoever asks: counted at once where that is quick, else what the scheduler made of it."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import TikTokAccount
from insights.models import KeptReport
from insights.reports import Shown, subtitles_shown
from insights.selectors.subtitles import Filters, is_large
from insights.statistics.plain import as_plain, of_plain
from insights.statistics.report import METHOD
from subiteya.lib.aside import Aside

logger = logging.getLogger(__name__)

#: A kept report is made anew after so long while it is asked for, and after so many times what making it took.
FRESH, WORTH = timedelta(minutes=15), 50
#: An older one is shown to nobody; one that nobody asked for is not made anew, and then forgotten.
SHOWN_FOR, MADE_FOR, KEPT_FOR = timedelta(days=1), timedelta(days=2), timedelta(days=14)
#: The scheduler stands still: whoever asks again after this waits for the report.
PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Answer:
    """`shown` is None while the report is being made. `made_at`: of a kept one. `failed_at`: making it went wrong."""

    shown: Shown | None
    made_at: datetime | None = None
    failed_at: datetime | None = None


def report_for(filters: Filters) -> Answer:
    """What the page says of these filters, without a long wait: a small report as it is now."""
    return kept_report(filters) if is_large(filters) else Answer(subtitles_shown(filters))


def kept_report(filters: Filters) -> Answer:
    """The kept report; asked of the scheduler where there is none, and made here where that does not come."""
    now = timezone.now()
    asked = _asked(filters)
    row, is_new = KeptReport.objects.get_or_create(key=_key(asked), defaults={"asked": asked, "asked_at": now})
    same = KeptReport.objects.filter(pk=row.pk)
    if found := _read(row):
        same.update(asked_at=now)
        return Answer(found, row.made_at)
    if row.made_at and row.document is None and now - row.made_at < FRESH:
        return Answer(None, failed_at=row.made_at)
    if row.made_at:  # too old, or another release wrote it: as if nobody had asked before
        same.filter(made_at=row.made_at).update(made_at=None, document=None, asked_at=now)
    elif not is_new and now - row.asked_at > PATIENCE and same.filter(asked_at=row.asked_at).update(asked_at=now):
        report_make(row)  # by one of those who ask, not by each
        return Answer(_read(row), row.made_at)
    return Answer(None)


def reports_make() -> int:
    """Make what was asked for, and anew what is still asked for; how many. Forget the rest."""
    now = timezone.now()
    KeptReport.objects.filter(asked_at__lt=now - KEPT_FOR).delete()
    rows = [
        row for row in _due(now) if row.made_at is None or now - row.made_at > timedelta(seconds=WORTH * row.seconds)
    ]
    for row in rows:
        try:
            report_make(row)
        except Exception:
            logger.exception("report_failed", extra={"report": row.pk})
            # The others have their turn; this one again when it is time.
            KeptReport.objects.filter(pk=row.pk).update(made_at=timezone.now(), document=None)
    return len(rows)


_aside = Aside("reports", reports_make)


def reports_make_aside() -> None:
    """Make them in a thread of its own, where there is something to make."""
    if _due(timezone.now()).exists():
        _aside.start()


def report_make(row: KeptReport) -> None:
    """Count, and keep what comes out."""
    start = time.monotonic()
    shown = subtitles_shown(_filters(row.asked))
    row.document, row.made_at, row.seconds = as_plain(shown), timezone.now(), time.monotonic() - start
    row.save(update_fields=["document", "made_at", "seconds"])


def _due(now: datetime) -> QuerySet[KeptReport]:
    """Those without a document first."""
    due = Q(made_at__isnull=True) | Q(made_at__lt=now - FRESH, asked_at__gte=now - MADE_FOR)
    return KeptReport.objects.filter(due).order_by(F("made_at").asc(nulls_first=True))


def _read(row: KeptReport) -> Shown | None:
    """None where there is none, it is too old, or another release wrote it."""
    if row.document is None or row.made_at is None or timezone.now() - row.made_at > SHOWN_FOR:
        return None
    try:
        return of_plain(Shown, row.document)
    except (KeyError, TypeError, ValueError):
        return None


def _asked(filters: Filters) -> dict[str, Any]:
    """Everything that decides what the report says."""
    accounts = filters.accounts
    return {
        "method": METHOD, "start": filters.start and filters.start.isoformat(),
        "end": filters.end and filters.end.isoformat(), "sector": filters.sector, "account": filters.account,
        "randomised": filters.randomised, "zone": timezone.get_default_timezone_name(),
        "accounts": None if accounts is None else sorted(accounts.order_by().values_list("pk", flat=True).distinct()),
    }  # fmt: skip


def _key(asked: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _filters(asked: dict[str, Any]) -> Filters:
    start, end = (date.fromisoformat(asked[name]) if asked[name] else None for name in ("start", "end"))
    accounts = asked["accounts"]
    return Filters(
        start=start, end=end, sector=asked["sector"], account=asked["account"], randomised=asked["randomised"],
        accounts=None if accounts is None else TikTokAccount.objects.filter(pk__in=accounts),
    )  # fmt: skip
