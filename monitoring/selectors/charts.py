"""What only the page of the monitor draws: causes, refused calls, peaks, tokens that end soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from monitoring.models import DailyPeak, TikTokFailure
from monitoring.selectors.jobs import PEAK_DAYS
from monitoring.selectors.summaries import Accounts
from monitoring.selectors.videos import failures
from subiteya.tiktok import Endpoint

#: A longer list of causes hides the first ones.
CAUSES = 8
TOKEN_SOON = timedelta(days=30)
TOKENS = 20


@dataclass(frozen=True)
class Refusals:
    """Failed calls to one endpoint, and the class of error that most of them had."""

    endpoint: str
    failures: int
    reason: str


def failures_by_cause(since: datetime, accounts: Accounts = None) -> list[tuple[str, int]]:
    """`(code, videos)` of what ended in red since then, the most frequent first."""
    rows = failures(since, accounts).values_list("code").annotate(n=Count("video", distinct=True))
    return list(rows.order_by("-n", "code")[:CAUSES])


def refusals(since: datetime, accounts: QuerySet[TikTokAccount] | None = None) -> list[Refusals]:
    """Of every endpoint, the calls that TikTok refused or did not answer since then, in the API's order."""
    rows = TikTokFailure.objects.filter(at__gte=since)
    if accounts is not None:
        rows = rows.filter(account__in=accounts.order_by())
    counted = rows.order_by().values_list("endpoint", "reason").annotate(n=Count("pk"))
    found: dict[str, dict[str, int]] = {}
    for endpoint, reason, n in counted:
        found.setdefault(endpoint, {})[reason] = n
    return [_refusals(endpoint, found.get(endpoint, {})) for endpoint in Endpoint]


def _refusals(endpoint: str, reasons: dict[str, int]) -> Refusals:
    first = max(reasons, key=lambda reason: (reasons[reason], reason), default="")
    return Refusals(endpoint, sum(reasons.values()), first)


def daily_peaks(days: int = PEAK_DAYS) -> list[tuple[date, int]]:
    """The most jobs at once on each of the last `days` days, today included, oldest first."""
    first = timezone.localdate() - timedelta(days=days - 1)
    found = dict(DailyPeak.objects.filter(day__gte=first).values_list("day", "active_jobs"))
    every = [first + timedelta(days=number) for number in range(days)]
    return [(day, found.get(day, 0)) for day in every]


def tokens_ending(accounts: QuerySet[TikTokAccount]) -> list[OAuthToken]:
    """The refresh tokens of connected accounts that end within 30 days, the first at the top."""
    rows = OAuthToken.objects.filter(
        account__in=accounts.order_by(), account__status=AccountStatus.CONNECTED,
        refresh_expires_at__lt=timezone.now() + TOKEN_SOON,
    )  # fmt: skip
    return list(rows.select_related("account").order_by("refresh_expires_at", "pk")[:TOKENS])
