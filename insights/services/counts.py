"""TikTok's counts of our posts: asked on a schedule, beside the videos' own calls and well below the limits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import AccountStatus, TikTokAccount
from accounts.services.tokens import AccountNotConnected, client_for
from insights.models import AccountCounts, CountSnapshot, Publication
from insights.services.settling import LATEST, SETTLED, settle
from publishing.states import PrivacyLevel
from subiteya.lib.aside import Aside
from subiteya.lib.pruning import oldest_forget
from subiteya.lib.tracing import span
from subiteya.tiktok import ScopeMissing, TikTokError, TokenInvalid, VideoCounts

logger = logging.getLogger(__name__)

#: Without this permission TikTok tells no counts.
SCOPE = "video.list"
#: Up to this age a post is asked about this often; older ones never again.
SCHEDULE = (
    (SETTLED, timedelta(hours=6)),
    (LATEST, timedelta(days=1)),
    (timedelta(days=90), timedelta(days=7)),
)
#: TikTok takes so many ids in a call, and 600 calls a minute of an app; a round every ten seconds makes 60.
IDS_PER_CALL, CALLS_PER_ACCOUNT, ACCOUNTS_PER_ROUND = 20, 2, 5
#: A process that died while asking leaves the account to another after this.
LEASE = timedelta(minutes=2)
FIRST_PAUSE, LONGEST_PAUSE, SCOPE_PAUSE = timedelta(minutes=5), timedelta(hours=6), timedelta(days=1)
KEEP, PRUNE_AT_ONCE = timedelta(days=400), 1_000


def next_count_at(posted_at: datetime, now: datetime) -> datetime | None:
    """When a post that was asked about now is asked about again; None when it is too old."""
    for age, pause in SCHEDULE:
        if now - posted_at < age:
            # never past the age at which posts are compared
            return min(now + pause, posted_at + age) if age == SETTLED else now + pause
    return None


def first_count_at(posted_at: datetime) -> datetime:
    return posted_at + SCHEDULE[0][1]


def counts_due(now: datetime) -> QuerySet[TikTokAccount]:
    """Accounts with posts to ask about, that can be asked now."""
    free = Q(counts__isnull=True) | Q(counts__next_at__isnull=True) | Q(counts__next_at__lte=now)
    due = Publication.objects.filter(next_count_at__lte=now).order_by().values("account")
    rows = TikTokAccount.objects.filter(free, pk__in=due, status=AccountStatus.CONNECTED)
    return rows.filter(token__scope__contains=SCOPE).order_by("counts__asked_at", "pk")


def counts_refresh() -> int:
    """Ask about some accounts' posts; how many posts have new counts."""
    accounts = counts_due(timezone.now())[:ACCOUNTS_PER_ROUND]
    return sum(account_refresh(account) for account in accounts)


_aside = Aside("post-counts", counts_refresh)


def counts_refresh_aside() -> None:
    """Ask in a thread of its own, where there is something to ask."""
    if counts_due(timezone.now()).exists():
        _aside.start()


def account_refresh(account: TikTokAccount) -> int:
    """Ask about the due posts of one account, unless somebody else does; how many have new counts."""
    now = timezone.now()
    AccountCounts.objects.get_or_create(account=account)
    free = Q(next_at__isnull=True) | Q(next_at__lte=now)
    mine = AccountCounts.objects.filter(free, account=account)
    if not mine.update(next_at=now + LEASE, asked_at=now):
        return 0
    with span("refresh counts", parent="", attributes={"subiteya.account_id": account.pk}, minor=True):
        try:
            done = sum(_ask(account, now) for _call in range(CALLS_PER_ACCOUNT))
        except AccountNotConnected:
            _pause(account, "account_disconnected", LONGEST_PAUSE)
        except ScopeMissing as error:
            _pause(account, error.code, SCOPE_PAUSE)
        except TikTokError as error:
            _pause(account, error.code)
        else:
            AccountCounts.objects.filter(account=account).update(next_at=None, failures=0, code="")
            return done
    return 0


def account_may_be_asked_again(account: TikTokAccount) -> None:
    """It was connected anew, perhaps with more permissions."""
    AccountCounts.objects.filter(account=account).update(next_at=None, failures=0, code="")


def snapshots_prune() -> int:
    """Forget snapshots past their time, some at once; how many."""
    rows = CountSnapshot.objects.all()
    return oldest_forget(rows, moment="taken_at", before=timezone.now() - KEEP, at_once=PRUNE_AT_ONCE)


def _ask(account: TikTokAccount, now: datetime) -> int:
    """One call. Raises AccountNotConnected or TikTokError."""
    due = Publication.objects.filter(account=account, next_count_at__lte=now).exclude(video__post_id="")
    rows = list(due.filter(video__privacy_level=PrivacyLevel.PUBLIC_TO_EVERYONE).select_related("video")
                .order_by("next_count_at")[:IDS_PER_CALL])  # fmt: skip
    if not rows:
        # what the world cannot see has no counts
        Publication.objects.filter(account=account, next_count_at__lte=now).update(next_count_at=None)
        return 0
    counts = {found.id: found for found in _counts(account, [row.video.post_id for row in rows])}
    for row in rows:
        _keep(row, counts.get(row.video.post_id), now)
    return len(counts)


def _counts(account: TikTokAccount, ids: Sequence[str]) -> tuple[VideoCounts, ...]:
    try:
        return client_for(account).video_query(ids)
    except TokenInvalid:
        return client_for(account, force_refresh=True).video_query(ids)


@transaction.atomic
def _keep(row: Publication, found: VideoCounts | None, now: datetime) -> None:
    """Write a dated snapshot, and what is known last. TikTok may correct counts downwards: they stay as told."""
    assert row.posted_at is not None, "only what was published is asked about"
    mine = Publication.objects.filter(pk=row.pk, next_count_at=row.next_count_at)
    if found is None:  # removed, or made private in the app: asked daily for a while, in case it comes back
        gone = now - row.posted_at >= LATEST
        mine.update(next_count_at=None if gone else now + timedelta(days=1))
        return
    counts = {
        "views": found.view_count, "likes": found.like_count, "comments": found.comment_count,
        "shares": found.share_count,
    }  # fmt: skip
    if mine.update(**counts, counted_at=now, next_count_at=next_count_at(row.posted_at, now)):
        CountSnapshot.objects.create(publication=row, taken_at=now, **counts)
        settle(row, views=found.view_count, at=now)


def _pause(account: TikTokAccount, code: str, pause: timedelta | None = None) -> None:
    """Not before a while, longer each time. The circuit breaker is about uploads, and hears nothing of it."""
    row = AccountCounts.objects.get(account=account)
    wait = pause or min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.failures, 10))
    AccountCounts.objects.filter(account=account).update(
        next_at=timezone.now() + wait, failures=row.failures + 1, code=code[:64]
    )
    logger.info("counts_refused", extra={"account_id": account.pk, "code": code})
