"""How the accounts are: failures, circuit breakers, tokens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Count, Func, Min, QuerySet
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from monitoring.selectors.videos import failures
from publishing.models import AccountCircuit, CircuitEvent, TikTokOutage, Video
from publishing.services.circuits import WINDOW
from publishing.states import CircuitState

WEEK = timedelta(days=7)
#: More accounts than these are not asked for by their keys, but picked out of all.
FEW = 100


@dataclass(frozen=True)
class Trouble:
    """An account with failures, or whose uploads are paused.

    `failures7d`, `failures_last_hour`: its videos that ended in red. `counted_last_hour`: failed attempts that the
    circuit breaker counts, retried ones included.
    """

    account_id: int
    account: str
    failures7d: int
    failures_last_hour: int
    counted_last_hour: int
    breaker: str


class TokenLife(NamedTuple):
    """When the tokens of a connected account expire, in whole seconds since 1970: thousands are read at each look."""

    account: str
    access: int
    refresh: int

    def expires_in(self, now: datetime) -> dict[str, int]:
        """Whole seconds left, 0 when it is over."""
        second = int(now.timestamp())
        return {"access": max(0, self.access - second), "refresh": max(0, self.refresh - second)}


class Second(Func):
    """The whole second of a moment, since 1970: the database reckons, and no date is read here."""

    output_field = BigIntegerField()
    template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)", **context
        )


def accounts_with_failures(accounts: QuerySet[TikTokAccount] | None = None) -> list[Trouble]:
    """Worst first: paused ones, then by failures of the last hour and week."""
    now = timezone.now()
    week, hour = _failures(now - WEEK), _failures(now - timedelta(hours=1))
    # Added up here: SQLite would go through all that were ever counted, because they lie by account.
    counted = Counter(
        CircuitEvent.objects.filter(counted=True, at__gt=now - WINDOW).order_by().values_list("account", flat=True)
    )
    paused = dict(AccountCircuit.objects.exclude(state=CircuitState.CLOSED).values_list("pk", "state"))
    troubled = {*week, *counted, *paused}
    rows = (TikTokAccount.objects.all() if accounts is None else accounts).order_by()
    # A parameter of a statement costs more than a row of its answer.
    rows = rows if len(troubled) > FEW else rows.filter(pk__in=troubled)
    found = [
        Trouble(
            account_id=pk, account=name, failures7d=week.get(pk, 0), failures_last_hour=hour.get(pk, 0),
            counted_last_hour=counted.get(pk, 0), breaker=paused.get(pk, CircuitState.CLOSED),
        )
        for pk, name in rows.values_list("pk", "username")
        if pk in troubled
    ]  # fmt: skip
    return sorted(found, key=_worst_first)


def _worst_first(row: Trouble) -> tuple[bool, int, int, str]:
    return row.breaker == CircuitState.CLOSED, -row.failures_last_hour, -row.failures7d, row.account


def _failures(since: datetime) -> dict[int, int]:
    # Not a join: SQLite would begin it at the videos, which are many.
    failed = Video.objects.filter(pk__in=failures(since).values("video"))
    return dict(failed.order_by().values_list("account").annotate(n=Count("pk")))


def circuits() -> dict[str, int]:
    """State → accounts; one that was never in trouble has no row, and is closed."""
    rows = AccountCircuit.objects.exclude(state=CircuitState.CLOSED).order_by().values_list("state")
    found = dict(rows.annotate(n=Count("pk")))
    found[CircuitState.CLOSED] = TikTokAccount.objects.count() - sum(found.values())
    return {state: found.get(state, 0) for state in CircuitState.values}


def outage_now() -> bool:
    """Are several accounts paused at once?"""
    return TikTokOutage.objects.filter(closed_at=None).exists()


def token_lives() -> list[TokenLife]:
    """The tokens of connected accounts, the refresh token that ends first at the top."""
    rows = _live().order_by("refresh_expires_at", "pk")
    return [
        TokenLife._make(row)
        for row in rows.values_list("account__username", Second("expires_at"), Second("refresh_expires_at"))
    ]


def live_tokens() -> dict[str, Any]:
    """`n` connected accounts with tokens, and when the first `access` and `refresh` token of all expires, or None."""
    return _live().aggregate(n=Count("pk"), access=Min("expires_at"), refresh=Min("refresh_expires_at"))


def _live() -> QuerySet[OAuthToken]:
    return OAuthToken.objects.filter(account__status=AccountStatus.CONNECTED)
