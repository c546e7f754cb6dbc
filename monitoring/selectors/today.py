"""What *Hoy* shows of one person's videos and accounts: a handful of queries, whatever the number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateField,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Concat, RowNumber
from django.utils import timezone

from accounts.models import AccountStatus, TikTokAccount, User
from monitoring.models.summaries import NOW
from monitoring.selectors.summaries import beginning_here, sums_now
from monitoring.selectors.videos import Day, throughput_of, throughput_rows
from publishing.causes import CATALOGUE, Action
from publishing.models import CircuitEvent, Job, Video
from publishing.services.circuits import WINDOW
from publishing.states import FAMILIES, HELD_BY_PERSON, JOB_ACTIVE, CircuitState, Family, JobStatus, VideoStatus

#: Of each group the newest are shown, and of all of them the latest.
SAMPLES, RECENT = 3, 8
#: More groups than a person reads; the list has the rest.
MOST_GROUPS = 30
ROWS = 200
#: What Hoy reads of a video, of its account and of its file. All of their columns are five times as many, and of two
#: hundred videos at each look.
READ = (
    "status", "caption", "cover_timestamp_ms", "time_zone", "scheduled_at", "reason_code", "reason_detail", "edited",
    "created_at", "updated_at", "account__username", "account__connected_at", "batch__source__status",
    "batch__source__original_name",
)  # fmt: skip
#: And of one that is planned, for the forecast.
READ_PLANNED = (
    *READ, "mode", "privacy_level", "resume_at", "batch__source__probe", "edited__probe",
)  # fmt: skip
#: Of an account.
READ_ACCOUNT = (
    "username", "status", "status_reason", "time_zone", "token__scope", "token__refresh_expires_at", "circuit__state",
    "circuit__open_until", "circuit__isolated_code", "circuit__isolated_reason", "limits__max_duration_seconds",
    "limits__privacy_levels",
)  # fmt: skip
DAY = timedelta(hours=24)
PLANNED = 30
THROUGHPUT_DAYS = 14
#: Of a person's accounts so many are looked at even though nothing is known against them.
FINE = 30

#: What mends a video (`publishing.views.buttons.mending_action`): decided above this layer.
ActionOf = Callable[[Video], Action | None]

RED = sorted(FAMILIES[Family.ATTENTION])
#: Held for these, a video waits for a person; held for others it goes on by itself.
NEEDS_A_PERSON = sorted(code for code, cause in CATALOGUE.items() if cause.action == Action.RECONNECT) + [
    "circuit_isolated"
]
#: A file that cannot be edited fails on every account of its batch: that is one thing to mend.
OF_THE_FILE = sorted(code for code, cause in CATALOGUE.items() if cause.action == Action.CHANGE_FILE)


@dataclass(kw_only=True)
class Group:
    """Videos that one action mends. `videos` are the newest few of `count`; `batch`: they share its file."""

    action: Action
    code: str
    videos: list[Video]
    count: int
    since: datetime
    batch: int = 0
    statuses: set[str] = field(default_factory=set)

    @property
    def account(self) -> TikTokAccount:
        return self.videos[0].account


@dataclass(frozen=True, kw_only=True)
class Attention:
    """`groups`, the most urgent first, and `recent`, the latest failures. `more`: groups that are not shown."""

    groups: list[Group]
    recent: list[Video]
    more: int = 0


def attention(user: User, action_of: ActionOf) -> Attention:
    """Red videos, and held ones that wait for a person, in one query. `action_of(video)` says what mends it."""
    rows = list(_stuck(user))
    groups = _merged(rows, action_of)
    recent = sorted((row for row in rows if row.recent <= RECENT and row.status in RED), key=lambda row: row.recent)
    return Attention(groups=groups[:MOST_GROUPS], recent=recent, more=max(0, len(groups) - MOST_GROUPS))


@dataclass(frozen=True, kw_only=True)
class ToApprove:
    """What waits for this person's approval on one account: how many, since when, and the first few."""

    account: TikTokAccount
    count: int
    since: datetime
    videos: list[Video]


def to_approve(user: User) -> list[ToApprove]:
    """The account whose video goes out first comes first; nothing for who may not approve. One query."""
    if not user.may_approve:
        return []
    rows = Video.objects.for_user(user).filter(status=VideoStatus.AWAITING_APPROVAL)
    if not user.is_staff:
        rows = rows.exclude(batch__created_by=user)
    order = [F("scheduled_at").asc(nulls_first=True), F("pk").asc()]
    same = [F("account_id")]
    ranked = rows.annotate(
        count=Window(Count("pk"), partition_by=same),
        since=Window(Min("created_at"), partition_by=same),
        rank=Window(RowNumber(), partition_by=same, order_by=order),
    )
    shown: Iterable[Any] = (
        ranked.filter(rank__lte=SAMPLES).select_related("account", "batch__source").only(*READ).order_by(*order)[:ROWS]
    )
    groups: dict[int, ToApprove] = {}
    for row in shown:
        group = groups.setdefault(
            row.account_id, ToApprove(account=row.account, count=row.count, since=row.since, videos=[])
        )
        group.videos.append(row)
    return list(groups.values())[:MOST_GROUPS]


def _stuck(user: User) -> Iterable[Any]:
    """The newest few of each `(status, cause, account or batch)`, each with the numbers of its whole group."""
    of_the_file = Q(status=VideoStatus.FAILED_EDIT, reason_code__in=OF_THE_FILE)
    lanes = {
        "by_batch": Case(When(of_the_file, then=F("batch_id")), default=Value(0), output_field=BigIntegerField()),
        "by_account": Case(When(of_the_file, then=Value(0)), default=F("account_id"), output_field=BigIntegerField()),
    }
    same = [F("status"), F("reason_code"), F("by_batch"), F("by_account")]
    newest = [F("updated_at").desc(), F("pk").desc()]
    held = Q(status=VideoStatus.HELD, reason_code__in=NEEDS_A_PERSON)
    rows = Video.objects.for_user(user).stuck().filter(Q(status__in=RED) | held).annotate(**lanes)
    rows = rows.annotate(
        count=Window(Count("pk"), partition_by=same),
        since=Window(Min("updated_at"), partition_by=same),
        rank=Window(RowNumber(), partition_by=same, order_by=newest),
        recent=Window(RowNumber(), order_by=newest),
    )
    shown = rows.filter(Q(rank__lte=SAMPLES) | Q(recent__lte=RECENT))
    # One of every group before the second of any, or a limit would hide a whole group behind newer ones.
    latest = Case(When(recent__lte=RECENT, then=Value(0)), default=Value(1))
    shown = shown.select_related("account", "batch__source").only(*READ)
    return shown.order_by(latest, F("rank"), "-updated_at", "-pk")[:ROWS]


def _merged(rows: Sequence[Any], action_of: ActionOf) -> list[Group]:
    """One group per thing to do: a lost account's failed and held videos are mended together."""
    groups: dict[tuple[Any, ...], Group] = {}
    counted: set[tuple[Any, ...]] = set()
    for row in rows:
        action = action_of(row)
        if action is None:
            continue
        lane = (row.status, row.reason_code, row.by_batch, row.by_account)
        code = "" if action in {Action.RECONNECT, Action.ACCOUNT} else row.reason_code
        key = (action, code, row.by_batch, row.by_account)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(
                action=action, code=row.reason_code, videos=[], count=0, since=row.since, batch=row.by_batch
            )
        if lane not in counted:
            counted.add(lane)
            group.count += row.count
            group.since = min(group.since, row.since)
            group.statuses.add(row.status)
        if len(group.videos) < SAMPLES:
            group.videos.append(row)
    return sorted(groups.values(), key=lambda group: (_urgency(group), -group.count, group.since))


def _urgency(group: Group) -> int:
    """A possible double post first, then what stops a whole account, then what is late."""
    order = [Action.RESOLVE, Action.RECONNECT, Action.ACCOUNT, Action.PUBLISH_NOW]
    return order.index(group.action) if group.action in order else len(order)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Videos per family, and jobs per status: those at work and those that ended within 24 hours.

    `waiting`: the videos that wait for an approval.
    """

    families: dict[Family, int]
    jobs: dict[str, int]
    waiting: int
    throughput: list[Day]

    @property
    def videos(self) -> int:
        return sum(self.families.values())


def counts(user: User) -> Counts:
    """All in one query: of the videos the sums; of the jobs too, but those that ended, and one's own, are counted."""
    mine = None if user.sees_everything else TikTokAccount.objects.for_user(user)
    rows = list(sums_now(mine).union(*_counted_jobs(mine), throughput_rows(THROUGHPUT_DAYS, mine), all=True))
    found: dict[tuple[str, str], int] = defaultdict(int)
    for what, day, n in rows:
        if day == NOW:
            kind, _colon, status = what.partition(":")
            found[kind, status.rpartition(":")[2]] += n
    return Counts(
        families={family: sum(found["video", status] for status in statuses) for family, statuses in FAMILIES.items()},
        jobs={
            status: found["counted", status] + (found["job", status] if status in JOB_ACTIVE else 0)
            for status in JobStatus.values
        },
        waiting=found["video", VideoStatus.AWAITING_APPROVAL],
        throughput=throughput_of(rows, THROUGHPUT_DAYS),
    )


def _counted_jobs(mine: QuerySet[TikTokAccount] | None) -> list[QuerySet[Any, Any]]:
    """Rows as of `sums_now`: the jobs that ended within a day; of a person's accounts those at work too."""
    ended, at_work = Q(finished_at__gt=timezone.now() - DAY), Q(status__in=sorted(JOB_ACTIVE))
    jobs: QuerySet[Any, Any] = beginning_here(Job.objects.all(), mine).order_by()
    named = {"what": Concat(Value("counted:"), F("status")), "day": Value(NOW, output_field=DateField())}
    return [
        jobs.filter(which).annotate(**named).values_list("what", "day").annotate(n=Count("pk"))
        for which in ([ended] if mine is None else [ended, at_work])
    ]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The accounts that Hoy looks at, and of how many."""

    accounts: list[TikTokAccount]
    every: int


def accounts_of(user: User, *, soon: timedelta, also: Iterable[int]) -> Shown:
    """Of the person's accounts those in trouble, `also`, and the first by name, with what their health is read from.

    In trouble: without a connection, or with one that ends `soon`; paused; with a failure that counts. Its tokens stay
    where they are: to decrypt them takes longer than everything else. One query.
    """
    now = timezone.now()
    mine = TikTokAccount.objects.for_user(user).order_by()
    ends = Q(token=None) | Q(token__refresh_expires_at__lt=now + soon)
    paused = Q(circuit__state__in=[state for state in CircuitState if state != CircuitState.CLOSED])
    counted = CircuitEvent.objects.filter(counted=True, at__gt=now - WINDOW).order_by().values("account")
    first = Q(pk__in=mine.order_by("username", "pk").values("pk")[:FINE])
    shown = ~Q(status=AccountStatus.CONNECTED) | ends | paused | Q(pk__in=counted) | first | Q(pk__in=list(also))
    every = mine.annotate(one=Value(1)).values("one").annotate(n=Count("pk", distinct=True)).values("n")
    rows = mine.filter(shown).select_related("token", "circuit", "limits").only(*READ_ACCOUNT)
    rows = rows.annotate(every=Subquery(every))
    found: list[Any] = list(rows.order_by("username", "pk"))
    return Shown(accounts=found, every=found[0].every if found else 0)


def planned(user: User) -> tuple[list[Video], bool]:
    """What goes out within 24 hours, the next first, and whether there is more of it than is shown."""
    until = timezone.now() + DAY
    scheduled = Q(status=VideoStatus.SCHEDULED, scheduled_at__lt=until)
    held = Q(status=VideoStatus.HELD, scheduled_at__lt=until) & ~Q(reason_code=HELD_BY_PERSON)
    put_off = Q(status=VideoStatus.DEFERRED, resume_at__lt=until)
    moment = Case(When(status=VideoStatus.DEFERRED, then=F("resume_at")), default=F("scheduled_at"))
    # Chosen by themselves: joined, SQLite would begin at the accounts, and read all that they ever published.
    due = Video.objects.waiting().filter(scheduled | held | put_off).order_by().values("pk")
    rows = Video.objects.for_user(user).filter(pk__in=due).annotate(goes_at=moment)
    rows = rows.select_related("account", "batch__source", "edited").only(*READ_PLANNED)
    found = list(rows.order_by(moment, "pk")[: PLANNED + 1])
    return found[:PLANNED], len(found) > PLANNED


def last_published(user: User) -> Video | None:
    """The latest post of the person's accounts: of each account's latest, unless all are asked about."""
    posted = Video.objects.filter(posted_at__isnull=False).order_by("-posted_at")
    latest: Any = posted.values("pk")[:1]
    if not user.sees_everything:
        of_each = Subquery(posted.filter(account=OuterRef("pk")).values("pk")[:1])
        latest = TikTokAccount.objects.for_user(user).order_by().values(latest=of_each)
    return posted.filter(pk__in=latest).select_related("account").first()
