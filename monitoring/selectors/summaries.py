"""The sums that the triggers keep, the folded and the new ones in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from django.db.models import Model, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import TikTokAccount
from monitoring.models import SummaryDelta, SummaryTotal
from monitoring.models.summaries import EVERY, NOW
from publishing.models import Video

Accounts = QuerySet[TikTokAccount] | None
#: What is counted, its day or NOW, and how many: several of one name and day are to be added up.
Counted = tuple[str, date, int]
Row = TypeVar("Row", bound=Model)


def sums_now(accounts: Accounts = None) -> QuerySet[Any, Any]:
    """Rows of `(what, NOW, n)`, several of one `what` to be added up: how many there are, of all or of `accounts`."""
    totals, deltas = SummaryTotal.objects.filter(day=NOW), SummaryDelta.objects.filter(day=NOW)
    if accounts is None:
        totals = totals.filter(account=EVERY)
    else:
        mine = accounts.order_by().values("pk")
        totals, deltas = totals.filter(account__in=mine), deltas.filter(account__in=mine)
    return _added(totals).union(_added(deltas), all=True)


def beginning_here(rows: QuerySet[Row, Row], accounts: Accounts) -> QuerySet[Row, Row]:
    """`rows` with a `video`, of all or of `accounts`: looked at first, and their video's account after.

    Neither a join nor a list of videos: a database would begin it at everything that the accounts ever published.
    """
    if accounts is None:
        return rows
    account = Video.objects.filter(pk=OuterRef("video_id")).order_by().values("account")[:1]
    found: QuerySet[Row, Row] = rows.alias(of_account=Subquery(account))  # type: ignore[assignment]
    return found.filter(of_account__in=accounts.order_by().values("pk"))


def by_name(rows: Iterable[Counted], kind: str) -> dict[str, int]:
    """Of `sums_now`, the part of the name after `kind` → how many."""
    found: dict[str, int] = defaultdict(int)
    for what, _now, n in rows:
        if what.startswith(f"{kind}:"):
            found[what.removeprefix(f"{kind}:")] += n
    return found


def sums_daily(first: date) -> QuerySet[Any, Any]:
    """Rows of `(what, day, n)`, several to be added up: of `first` and later days, over all accounts."""
    totals = SummaryTotal.objects.filter(account=EVERY, day__gte=first)
    return _added(totals).union(_added(SummaryDelta.objects.filter(day__gte=first)), all=True)


def sums_since(first: date) -> list[Counted]:
    """What `sums_now` and `sums_daily(first)` read, in one query: for who needs both, or one of them twice."""
    asked = Q(day=NOW) | Q(day__gte=first)
    totals = SummaryTotal.objects.filter(asked, account=EVERY)
    return list(_added(totals).union(_added(SummaryDelta.objects.filter(asked)), all=True))


def _added(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    found: QuerySet[Any, Any] = rows.order_by().values_list("what", "day").annotate(amount=Sum("n"))
    return found
