"""What would stop a scheduled video if nobody did anything: a forecast from the rows, without asking TikTok."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.causes import CAP_CODES, Action, cause_for
from publishing.models import AccountCircuit, CircuitEvent, CreatorLimits, Video
from publishing.selectors.videos import cause_text
from publishing.services.circuits import THRESHOLD, WINDOW, isolation_of
from publishing.states import CircuitState, PostMode, PrivacyLevel, VideoStatus

DAY = timedelta(hours=24)
#: What stands in a status' place in the row of a failure that the circuit breaker counts.
COUNTED = "counted"
#: The permission that each way of publishing needs (login-kit-web: scopes).
SCOPE_FOR = {PostMode.DIRECT: "video.publish", PostMode.INBOX: "video.upload"}


class RiskLevel(StrEnum):
    """`certain`: it fails or waits unless something changes. `likely`: it may."""

    CERTAIN = "certain"
    LIKELY = "likely"


@dataclass(frozen=True, kw_only=True)
class Risk:
    """One thing that stands in a video's way; `code` is the catalogue's, `sentence` has the measured values."""

    level: RiskLevel
    code: str
    sentence: str

    @property
    def action(self) -> Action:
        return cause_for(self.code).action


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the rows say about accounts, by their keys: counted failures of the last hour, when each posts, its cap."""

    accounts: Mapping[int, TikTokAccount]
    failures: Mapping[int, int]
    moments: Mapping[int, list[datetime]] = field(default_factory=dict)
    capped: Mapping[int, tuple[datetime, str]] = field(default_factory=dict)


Found = tuple[RiskLevel, str, dict[str, Any]]


def risks_of(videos: Iterable[Video], known: Known | None = None) -> dict[int, list[Risk]]:
    """`{video pk: risks}`, the certain ones first, in two queries whatever the number of videos; none with `known`.

    The videos come with `account`, `batch__source` and `edited` (see `publishing.selectors.videos.with_progress`).
    """
    asked = list(videos)
    if known is None:
        accounts = TikTokAccount.objects.filter(pk__in={video.account_id for video in asked})
        known = known_of(accounts.select_related("token", "circuit", "limits"))
    return {video.pk: _told(video, _found(video, known)) for video in asked}


def _told(video: Video, found: Iterable[Found]) -> list[Risk]:
    risks = [Risk(level=level, code=code, sentence=cause_text(code, detail, video)) for level, code, detail in found]
    return sorted(risks, key=lambda risk: risk.level != RiskLevel.CERTAIN)


def known_of(accounts: Iterable[TikTokAccount]) -> Known:
    """What is known of `accounts`, which come with `token`, `circuit` and `limits`: one query more."""
    rows = {account.pk: account for account in accounts}
    if not rows:
        return Known(accounts={}, failures={})
    failures: dict[int, int] = defaultdict(int)
    moments: dict[int, list[datetime]] = defaultdict(list)
    capped: dict[int, tuple[datetime, str]] = {}
    for account, status, posted_at, scheduled_at, resume_at, code in _of_accounts(rows, timezone.now()):
        at = posted_at or (resume_at if status == VideoStatus.DEFERRED else scheduled_at)
        if status == COUNTED:
            failures[account] += 1
        elif at is not None:
            moments[account].append(at)
        if status == VideoStatus.DEFERRED and code in CAP_CODES and resume_at:
            capped[account] = max(capped.get(account, (resume_at, code)), (resume_at, code))
    return Known(accounts=rows, failures=failures, moments=moments, capped=capped)


def _of_accounts(accounts: Iterable[int], now: datetime) -> QuerySet[Any, Any]:
    """What went out in the last day, what is planned, what TikTok's cap put off, and the failures that count."""
    planned = Q(status__in=[VideoStatus.SCHEDULED, VideoStatus.HELD], scheduled_at__lt=now + 2 * DAY)
    put_off = Q(status=VideoStatus.DEFERRED)
    videos = Video.objects.filter(account__in=accounts).order_by()
    waiting = Video.objects.waiting().filter(planned | put_off).order_by().values("pk")
    # Each part by its own index: with an "or", SQLite reads all that the accounts ever published.
    posted, due = (
        rows.values_list("account", "status", "posted_at", "scheduled_at", "resume_at", "reason_code")
        for rows in (videos.filter(posted_at__gt=now - DAY), videos.filter(pk__in=waiting))
    )
    counted = CircuitEvent.objects.filter(account__in=accounts, counted=True, at__gt=now - WINDOW).order_by()
    counted = counted.filter(Q(account__circuit__closed_at=None) | Q(at__gt=F("account__circuit__closed_at")))
    never = Value(None, output_field=DateTimeField())
    failed = counted.annotate(what=Value(COUNTED), due=never, resumes=never)
    return posted.union(due, failed.values_list("account", "what", "at", "due", "resumes", "code"), all=True)


def _found(video: Video, known: Known) -> Iterator[Found]:
    account = known.accounts[video.account_id]
    at = video.resume_at if video.status == VideoStatus.DEFERRED else video.scheduled_at
    at = at or timezone.now()
    yield from _access_risks(video, account, at)
    yield from _circuit_risks(account, at, known.failures.get(account.pk, 0))
    yield from _cap_risks(video, at, known)
    if video.mode == PostMode.DIRECT:
        yield from _limit_risks(video, getattr(account, "limits", None))


def _access_risks(video: Video, account: TikTokAccount, at: datetime) -> Iterator[Found]:
    """Is there a connection that lasts until then, and grants what this way of publishing needs?"""
    token = getattr(account, "token", None)
    if not account.is_connected or token is None:
        yield RiskLevel.CERTAIN, "account_disconnected", {}
        return
    if token.refresh_expires_at <= at:
        yield RiskLevel.CERTAIN, "access_ends", {"at": token.refresh_expires_at.isoformat()}
    if SCOPE_FOR[PostMode(video.mode)] not in token.scopes:
        yield RiskLevel.CERTAIN, "scope_not_authorized", {}


def _circuit_risks(account: TikTokAccount, at: datetime, failures: int) -> Iterator[Found]:
    circuit: AccountCircuit | None = getattr(account, "circuit", None)
    state = circuit.state if circuit else CircuitState.CLOSED
    if circuit and state == CircuitState.ISOLATED:
        if account.is_connected:  # the lost connection is told above
            yield RiskLevel.CERTAIN, *isolation_of(circuit)
    elif circuit and state == CircuitState.OPEN and circuit.open_until and circuit.open_until > at:
        yield RiskLevel.CERTAIN, "circuit_open", {"failures": failures}
    elif circuit and state in {CircuitState.OPEN, CircuitState.HALF_OPEN}:
        yield RiskLevel.LIKELY, "circuit_open", {"failures": failures}
    elif failures == THRESHOLD - 1:
        yield RiskLevel.LIKELY, "circuit_near", {"failures": failures}


def _cap_risks(video: Video, at: datetime, known: Known) -> Iterator[Found]:
    """TikTok's cap of the day: one that it named holds for all of the account; else the posts of 24 hours count."""
    if capped := known.capped.get(video.account_id):
        until, code = capped
        if video.status != VideoStatus.DEFERRED and at < until:
            yield RiskLevel.CERTAIN, code, {}
            return
    around = sum(at - DAY < one <= at for one in known.moments.get(video.account_id, []))
    if around > settings.POSTS_A_DAY:
        yield RiskLevel.LIKELY, "cap_near", {"posts": around, "max_posts": settings.POSTS_A_DAY}


def _limit_risks(video: Video, limits: CreatorLimits | None) -> Iterator[Found]:
    """The file and the choices against what TikTok said last about the creator, and against the app's audit."""
    public = limits is not None and PrivacyLevel.PUBLIC_TO_EVERYONE in limits.privacy_levels
    if not settings.TIKTOK_AUDITED and (public or video.privacy_level != PrivacyLevel.SELF_ONLY):
        yield RiskLevel.CERTAIN, "unaudited_client_can_only_post_to_private_accounts", {}
    if limits is None:
        return
    duration = (video.edited or video.batch.source).duration_ms
    longest = limits.max_duration_seconds * 1000
    if longest and duration > longest:
        yield RiskLevel.CERTAIN, "duration_over_account_limit", {"duration_ms": duration, "max_ms": longest}
    if limits.privacy_levels and video.privacy_level not in limits.privacy_levels:
        yield RiskLevel.CERTAIN, "privacy_level_option_mismatch", {"options": limits.privacy_levels}
