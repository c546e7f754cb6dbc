"""How much a person may still send in, and an account still take: the limits, what is used, when room returns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from publishing.models import Asset, AssetKind, Intake, IntakeState, Video
from publishing.models.video import VideoQuerySet
from publishing.states import VIDEO_TERMINAL

DAY = timedelta(days=1)
#: A file that is still on its way after so long was left by a process that was killed.
OPEN_LIFE = timedelta(hours=6)
#: What people bring; what the workers make of it counts for nobody.
BROUGHT = (AssetKind.SOURCE, AssetKind.LOGO, AssetKind.MUSIC)


@dataclass(frozen=True, kw_only=True)
class Room:
    """A person's quotas, in bytes and files; a limit of 0 is none. `frees_at` is when the first of the day leave it."""

    coming: int
    coming_max: int
    day: int
    day_max: int
    stored: int
    stored_max: int
    frees_at: datetime | None

    @property
    def left(self) -> int | None:
        """Bytes that may still come; None without a limit."""
        lefts = [top - used for used, top in ((self.day, self.day_max), (self.stored, self.stored_max)) if top]
        return max(0, min(lefts)) if lefts else None

    @property
    def waits(self) -> bool:
        """Whether nothing may be sent until something that is on its way has arrived."""
        return bool(self.coming_max) and self.coming >= self.coming_max

    @property
    def stored_tight(self) -> bool:
        """Whether what is stored is worth a word: more than half of what may be."""
        return self.stored * 2 > self.stored_max


def room_of(user: User, *, now: datetime | None = None) -> Room:
    """Where a person stands, in two queries."""
    now = now or timezone.now()
    is_open = Q(state=IntakeState.OPEN)
    sent = _of_day(user, now).aggregate(
        coming=Count("pk", filter=is_open), coming_size=Sum("size", filter=is_open, default=0),
        day=Sum("size", default=0), first=Min("started_at"),
    )  # fmt: skip
    stored = Asset.objects.filter(created_by=user, kind__in=BROUGHT).aggregate(size=Sum("size", default=0))
    return Room(
        coming=sent["coming"], coming_max=settings.QUOTA_COMING_FILES, day=sent["day"],
        day_max=settings.QUOTA_DAY_BYTES, stored=stored["size"] + sent["coming_size"],
        stored_max=settings.QUOTA_STORED_BYTES, frees_at=sent["first"] + DAY if sent["first"] else None,
    )  # fmt: skip


def _of_day(user: User, now: datetime) -> QuerySet[Intake]:
    """What counts of the last 24 hours: not what a dead process left open."""
    of_day = Intake.objects.filter(user=user, started_at__gt=now - DAY)
    return of_day.exclude(state=IntakeState.OPEN, started_at__lte=now - OPEN_LIFE)


def day_frees_at(user: User, size: int, *, now: datetime) -> datetime | None:
    """When `size` bytes fit into the day again; None when they never will."""
    if size > settings.QUOTA_DAY_BYTES:
        return None
    sent = list(_of_day(user, now).order_by("started_at").values_list("started_at", "size"))
    over = sum(each for _at, each in sent) + size - settings.QUOTA_DAY_BYTES
    for at, each in sent:
        over -= each
        if over <= 0:
            return at + DAY
    return now


def waiting_of(accounts: Collection[int]) -> dict[int, int]:
    """How many videos of each account have not come to an end."""
    rows = _waiting().filter(account__in=accounts).order_by().values_list("account")
    return dict(rows.annotate(n=Count("pk")))


def next_due(account: int) -> datetime | None:
    """When the next of an account's waiting videos has its hour; None when one of them is worked on already."""
    waiting = _waiting().filter(account=account)
    if waiting.filter(scheduled_at=None).exists():
        return None
    due: datetime | None = waiting.aggregate(due=Min("scheduled_at"))["due"]
    return due if due and due > timezone.now() else None


def _waiting() -> VideoQuerySet:
    return Video.objects.exclude(status__in=VIDEO_TERMINAL)
