"""How the accounts are: failures, circuit breakers, tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from monitoring.selectors.videos import failures
from publishing.models import AccountCircuit, CircuitEvent, TikTokOutage, Video
from publishing.services.circuits import WINDOW
from publishing.states import CircuitState

WEEK = timedelta(days=7)


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


@dataclass(frozen=True)
class TokenLife:
    """When the tokens of a connected account expire."""

    account: str
    access: datetime
    refresh: datetime

    def expires_in(self, now: datetime) -> dict[str, int]:
        """Whole seconds left, 0 when it is over."""
        return {
            name: max(0, int((at - now).total_seconds()))
            for name, at in (("access", self.access), ("refresh", self.refresh))
        }


def accounts_with_failures(accounts: QuerySet[TikTokAccount] | None = None) -> list[Trouble]:
    """Worst first: paused ones, then by failures of the last hour and week."""
    now = timezone.now()
    week, hour = _failures(now - WEEK), _failures(now - timedelta(hours=1))
    counted = dict(
        CircuitEvent.objects.filter(counted=True, at__gt=now - WINDOW)
        .order_by().values_list("account").annotate(n=Count("pk"))
    )  # fmt: skip
    paused = dict(AccountCircuit.objects.exclude(state=CircuitState.CLOSED).values_list("pk", "state"))
    rows = TikTokAccount.objects.all() if accounts is None else accounts
    names = rows.filter(pk__in={*week, *counted, *paused}).values_list("pk", "username")
    found = [
        Trouble(
            account_id=pk, account=name, failures7d=week.get(pk, 0), failures_last_hour=hour.get(pk, 0),
            counted_last_hour=counted.get(pk, 0), breaker=paused.get(pk, CircuitState.CLOSED),
        )
        for pk, name in names
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


def token_lives(limit: int | None = None) -> list[TokenLife]:
    """The tokens of connected accounts, the refresh token that ends first at the top."""
    rows = _live().order_by("refresh_expires_at", "pk")
    values = rows.values_list("account__username", "expires_at", "refresh_expires_at")
    return [TokenLife(*row) for row in (values if limit is None else values[:limit])]


def earliest_expiries() -> dict[str, datetime | None]:
    """`access` and `refresh` → when the first of all expires; None without any."""
    found: dict[str, datetime | None] = _live().aggregate(access=Min("expires_at"), refresh=Min("refresh_expires_at"))
    return found


def _live() -> QuerySet[OAuthToken]:
    return OAuthToken.objects.filter(account__status=AccountStatus.CONNECTED)
