"""The counts behind the subtitle report. What a person chose and what was drawn are never in one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, FloatField, QuerySet, Sum
from django.db.models.functions import Cast, Ln, TruncDate
from django.utils import timezone

from accounts.models import TikTokAccount
from insights.models import Outcome, Publication
from insights.statistics.growth import Growth, cuts
from insights.statistics.tables import Arm, Stratum
from insights.statistics.views import Moments, MomentStratum
from publishing.states import SubtitleAssignment, SubtitleChoice

ARMS = (SubtitleChoice.AUTO, SubtitleChoice.NONE)
#: A report over more publications than this is made by the scheduler, and kept.
LIVE = 1_000
COMPARED = (Outcome.PUBLISHED, Outcome.FAILED)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a report is about. Days are the installation's, inclusive, of the hour that a video was submitted for.

    `accounts` narrows to what the reader may see; None is everything. `randomised`: drawn by lot, else chosen.
    """

    start: date | None = None
    end: date | None = None
    sector: int | None = None
    account: int | None = None
    randomised: bool = False
    accounts: QuerySet[TikTokAccount] | None = None


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """Publications of an arm that are in no rate: their day is not over, or a person cancelled them."""

    in_flight: int
    cancelled: int


def publications(filters: Filters) -> QuerySet[Publication]:
    """Every publication of both arms that the report is about, whatever became of it."""
    assignment = SubtitleAssignment.DRAW if filters.randomised else SubtitleAssignment.PERSON
    rows = Publication.objects.filter(assignment=assignment, arm__in=ARMS).order_by()
    if filters.accounts is not None:
        rows = rows.filter(account__in=filters.accounts.order_by().values("pk"))
    if filters.start:
        rows = rows.filter(due_at__gte=_midnight(filters.start))
    if filters.end:
        rows = rows.filter(due_at__lt=_midnight(filters.end + timedelta(days=1)))
    if filters.sector:
        rows = rows.filter(sector=filters.sector)
    if filters.account:
        rows = rows.filter(account=filters.account)
    return rows


def is_large(filters: Filters) -> bool:
    """Are there more publications than are counted while somebody waits? One query, that stops counting there."""
    return publications(filters)[: LIVE + 1].count() > LIVE


def strata(filters: Filters) -> list[Stratum]:
    """Both arms of each account; one query."""
    rows = publications(filters).filter(outcome__in=COMPARED)
    tables: dict[str, dict[str, Arm]] = defaultdict(dict)
    counted: QuerySet[Publication, Any] = rows.values("account__username", "arm", "outcome").annotate(n=Count("*"))
    for row in counted:
        _add(tables[f"@{row['account__username']}"], row)
    return _strata(tables)


def grown(filters: Filters) -> Growth:
    """The same day by day, in the memory of its accounts and weeks; three queries."""
    rows = publications(filters).filter(outcome__in=COMPARED)
    ends = [rows.order_by(order).values_list("due_at", flat=True).first() for order in ("due_at", "-due_at")]
    first, last = (timezone.localdate(at, timezone.get_default_timezone()) if at else None for at in ends)
    growth = Growth(cuts(first, last) if first and last else [])
    days = rows.annotate(day=TruncDate("due_at", tzinfo=timezone.get_default_timezone()))
    keys = ("day", "account__username", "arm", "outcome")
    counted = days.values_list(*keys).annotate(n=Count("*")).order_by("day")
    for day, account, arm, outcome, n in counted.iterator(5_000):
        growth.add(day, f"@{account}", arm, won=n if outcome == Outcome.PUBLISHED else 0, n=n)
    growth.end()
    return growth


def excluded(filters: Filters) -> dict[str, Excluded]:
    """Arm → what is in no rate; one query."""
    rows = publications(filters).exclude(outcome__in=COMPARED).values_list("arm", "outcome")
    found = {(arm, outcome): n for arm, outcome, n in rows.annotate(n=Count("*"))}
    return {
        str(arm): Excluded(
            in_flight=found.get((arm, Outcome.IN_FLIGHT), 0), cancelled=found.get((arm, Outcome.CANCELLED), 0)
        )
        for arm in ARMS
    }


def view_strata(filters: Filters) -> list[MomentStratum]:
    """Both arms of each account: views after three days, of the posts that TikTok has counted; one query."""
    rows = publications(filters).filter(settled_views__isnull=False)
    logarithm = Ln(Cast(F("settled_views") + 1, FloatField()))
    summed = rows.values("account__username", "arm").annotate(
        n=Count("pk"), total=Sum(logarithm), square=Sum(logarithm * logarithm)
    )
    tables: dict[str, dict[str, Moments]] = defaultdict(dict)
    for row in summed:
        mean = row["total"] / row["n"]
        spread = max(0.0, row["square"] - row["n"] * mean * mean)
        tables[f"@{row['account__username']}"][row["arm"]] = Moments(row["n"], mean, spread)
    return [
        MomentStratum(name, arms.get("auto", Moments()), arms.get("none", Moments()))
        for name, arms in sorted(tables.items())
    ]


def _add(arms: dict[str, Arm], row: dict[str, Any]) -> None:
    won = row["n"] if row["outcome"] == Outcome.PUBLISHED else 0
    arms[row["arm"]] = arms.get(row["arm"], Arm(0, 0)) + Arm(won, row["n"])


def _strata(tables: dict[str, dict[str, Arm]]) -> list[Stratum]:
    names: Iterable[str] = sorted(tables)
    return [Stratum(name, tables[name].get("auto", Arm(0, 0)), tables[name].get("none", Arm(0, 0))) for name in names]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
