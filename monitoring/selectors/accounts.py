"""How the accounts are: failures, circuit breakers, tokens."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Case, Count, Func, Min, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from monitoring.selectors.videos import failures
from publishing.models import AccountCircuit, CircuitEvent, TikTokOutage, Video
from publishing.services.circuits import WINDOW
from publishing.states import CircuitState
from subiteya.lib.columns import AsRead

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
#: More accounts than these are not asked for by their keys, but picked out of all.
FEW = 100


class Trouble(NamedTuple):
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

    def expires_in(self, second: int) -> dict[str, int]:
        """Whole seconds left at that second since 1970, 0 when it is over."""
        return {
            "access": self.access - second if self.access > second else 0,
            "refresh": self.refresh - second if self.refresh > second else 0,
        }


class Second(AsRead, Func):
    """The whole second of a moment, since 1970: the database reckons, and no date is read here."""

    output_field = BigIntegerField()
    # Not EXTRACT: that reckons with decimals, which takes PostgreSQL eight times as long.
    template = "FLOOR(DATE_PART('epoch', %(expressions)s))::bigint"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)", **context
        )


class Failed(NamedTuple):
    """Videos of an account that ended in red within a week, a day and an hour."""

    week: int
    day: int
    hour: int


NONE = Failed(0, 0, 0)


def failed_videos() -> dict[int, Failed]:
    """By account's key, of those that have any."""
    now = timezone.now()
    # Not a join: SQLite would begin it at the videos, which are many.
    account = Video.objects.filter(pk=OuterRef("video_id")).order_by().values("account")[:1]
    lately = Case(When(at__gte=now - HOUR, then=Value(2)), When(at__gte=now - DAY, then=Value(1)), default=Value(0))
    rows = failures(now - WEEK).annotate(of_account=Subquery(account), lately=lately)
    # Put together here: three counts of what is different take SQLite four times as long.
    latest: dict[tuple[int, int], int] = {}
    for pk, video, when in rows.values_list("of_account", "video", "lately"):
        latest[pk, video] = max(when, latest.get((pk, video), 0))
    found: dict[int, Failed] = {}
    for (pk, _video), when in latest.items():
        week, day, hour = found.get(pk, NONE)
        found[pk] = Failed(week + 1, day + (when >= 1), hour + (when == 2))
    return found


def paused_accounts() -> dict[int, str]:
    """Account's key → state of its circuit breaker, where that is not closed."""
    return dict(AccountCircuit.objects.exclude(state=CircuitState.CLOSED).order_by().values_list("pk", "state"))


def account_names() -> dict[int, str]:
    """Account's key → user name, of all."""
    return dict(TikTokAccount.objects.order_by().values_list("pk", "username"))


def accounts_with_failures(
    accounts: QuerySet[TikTokAccount] | None = None, *, failed: dict[int, Failed] | None = None,
    paused: dict[int, str] | None = None, names: dict[int, str] | None = None,
) -> list[Trouble]:  # fmt: skip
    """Worst first: paused ones, then by failures of the last hour and week.

    `failed`, `paused` and `names` for who has asked already.
    """
    now = timezone.now()
    failed = failed_videos() if failed is None else failed
    paused = paused_accounts() if paused is None else paused
    # Added up here: SQLite would go through all that were ever counted, because they lie by account.
    counted = Counter(
        CircuitEvent.objects.filter(counted=True, at__gt=now - WINDOW).order_by().values_list("account", flat=True)
    )
    troubled = {*failed, *counted, *paused}
    if names is None:
        rows = (TikTokAccount.objects.all() if accounts is None else accounts).order_by()
        # A parameter of a statement costs more than a row of its answer.
        rows = rows if len(troubled) > FEW else rows.filter(pk__in=troubled)
        names = dict(rows.values_list("pk", "username"))
    found = [
        Trouble(
            account_id=pk, account=names[pk], failures7d=failed.get(pk, NONE).week,
            failures_last_hour=failed.get(pk, NONE).hour, counted_last_hour=counted[pk],
            breaker=paused.get(pk, CircuitState.CLOSED),
        )
        for pk in troubled if pk in names
    ]  # fmt: skip
    return sorted(found, key=_worst_first)


def _worst_first(row: Trouble) -> tuple[bool, int, int, str]:
    return row.breaker == CircuitState.CLOSED, -row.failures_last_hour, -row.failures7d, row.account


def circuits(paused: dict[int, str] | None = None, every: int | None = None) -> dict[str, int]:
    """State → accounts; one that was never in trouble has no row, and is closed.

    `paused` ones, and how many accounts there are (`every`), for who has asked already.
    """
    found = Counter((paused_accounts() if paused is None else paused).values())
    found[CircuitState.CLOSED] = (TikTokAccount.objects.count() if every is None else every) - found.total()
    return {state: found[state] for state in CircuitState.values}


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
