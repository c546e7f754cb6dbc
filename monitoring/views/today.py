"""Hoy: what needs the community manager this morning, and the one button that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import parse_etags
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, polled, signed_in
from accounts.models import TikTokAccount, User
from accounts.views import DAYS_SOON, health
from insights.selectors.sectors import sectors_of
from insights.selectors.topics import Leader, topic_leaders
from monitoring import drawing
from monitoring.parts import HEADER, Region, marks_in, region
from monitoring.selectors import today as selectors
from monitoring.selectors.alerts import alerts_open
from monitoring.views.today_groups import approval_row, group_row
from publishing.clocks import moment
from publishing.models import Video
from publishing.selectors.risks import Known, Risk, RiskLevel, known_of, risks_of
from publishing.selectors.videos import cause_text
from publishing.services.circuits import THRESHOLD
from publishing.states import CircuitState, Family, JobStatus
from publishing.views.buttons import Button, button_for, mending_action, primary_button
from publishing.views.rows import zone_of

#: Hashtags of each sector.
LEADERS = 3
#: More accounts in trouble than a person reads; the list of accounts has them all.
TROUBLED = 60
#: Families in the order in which the counters stand; those that wait for a person come first.
ORDER = (
    Family.ATTENTION, Family.YOURS, Family.WORKING, Family.WAITING, Family.QUEUED, Family.DONE, Family.ENDED,
)  # fmt: skip

#: The list's filter that shows the videos of jobs in each status.
JOBS_OF = {
    JobStatus.QUEUED: "family=queued", JobStatus.RUNNING: "family=working", JobStatus.WAITING: "status=retrying",
    JobStatus.HELD: "status=held", JobStatus.PROCESSING: "status=verifying", JobStatus.SUCCEEDED: "family=done",
    JobStatus.FAILED: "family=attention", JobStatus.ERRORED: "family=attention", JobStatus.CANCELLED: "family=ended",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Health:
    """How an account stands, in words. `rank`: the smaller, the more it needs somebody."""

    account: TikTokAccount
    rank: int
    family: str
    icon: str
    words: str
    days_left: int | None
    posts: int
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A video that goes out soon, with what stands in its way and what mends the first of that."""

    video: Video
    at: datetime
    zone: Any
    risks: list[Risk]
    button: Button | None

    @property
    def is_certain(self) -> bool:
        return any(risk.level == RiskLevel.CERTAIN for risk in self.risks)


@require_GET
@signed_in
def today(request: MemberRequest) -> HttpResponse:
    """The page. Its changing part is drawn as `today_live` answers it."""
    part, needs = _part(request.user)
    alerts = alerts_open(request.user)
    context = {
        "part": part,
        "now": timezone.localtime(),
        "attention": needs,
        "alerts_open": len(alerts),
        "alerts": alerts,
    }
    return render(request, "monitoring/today.html", context)


@polled
@require_GET
@signed_in
def today_live(request: MemberRequest) -> HttpResponse:
    """The changing part with its ETag; 304 without a body to the `If-None-Match` of a browser that has it.

    Of what changed only the parts travel that the browser does not have (`monitoring.parts`). Such an answer makes
    sense only to whoever asked: no cache keeps it.
    """
    part, _needs = _part(request.user)
    headers = {"ETag": f'"{part.version}"', "Cache-Control": "private, no-store"}
    if _has(request, part):
        return HttpResponseNotModified(headers=headers)
    html = part.without(marks_in(request.headers.get(HEADER, "")))
    response = render(request, "monitoring/_today.html", {"html": html, "version": part.version, "oob": True})
    for name, value in headers.items():
        response[name] = value
    return response


def _has(request: HttpRequest, part: Region) -> bool:
    return f'"{part.version}"' in parse_etags(request.headers.get("If-None-Match", ""))


def _part(user: User) -> tuple[Region, int]:
    """The rendered part, and how many videos need the person."""
    stuck = selectors.attention(user, mending_action)
    counts = selectors.counts(user)
    videos, more_planned = selectors.planned(user)
    seen = selectors.accounts_of(user, soon=timedelta(days=DAYS_SOON + 1), also={video.account_id for video in videos})
    known = known_of(seen.accounts)
    healths = _healths(seen.accounts, known)
    troubled = [row for row in healths if row.family != "done"]
    context = {
        "groups": [group_row(group) for group in stuck.groups],
        "more_groups": stuck.more,
        "approvals": [approval_row(group) for group in selectors.to_approve(user)] if counts.waiting else [],
        "recent": [_failure(video) for video in stuck.recent],
        "families": _families(counts),
        "jobs": _jobs(counts),
        "total": counts.videos,
        "plans": _plans(videos, known),
        "more_planned": more_planned,
        "troubled": troubled[:TROUBLED],
        "more_troubled": max(0, len(troubled) - TROUBLED),
        "fine": [row for row in healths if row.family == "done"][: selectors.FINE],
        "fine_count": seen.every - len(troubled),
        "last": None if stuck.groups or not counts.videos else selectors.last_published(user),
        "may_act": user.may_act,
        "everything": user.sees_everything,
        "needs": counts.families[Family.ATTENTION],
        "leaders": _leaders(user) if counts.videos else {},
        **_throughput(counts),
    }
    return region("monitoring/_today_live.html", context), counts.families[Family.ATTENTION]


def _leaders(user: User) -> dict[str, list[Leader]]:
    return topic_leaders(sectors=None if user.sees_everything else sectors_of(user), limit=LEADERS)


def _failure(video: Video) -> dict[str, Any]:
    return {
        "video": video,
        "zone": zone_of(video),
        "sentence": cause_text(video.reason_code, video.reason_detail, video),
        "button": primary_button(video),
    }


def _families(counts: selectors.Counts) -> list[dict[str, Any]]:
    address = reverse("publishing:video_list")
    return [
        {"family": family.value, "count": counts.families[family], "address": f"{address}?family={family.value}"}
        for family in ORDER
    ]


def _jobs(counts: selectors.Counts) -> list[dict[str, Any]]:
    address = reverse("publishing:video_list")
    return [
        {
            "status": status,
            "label": status.label,
            "count": counts.jobs[status],
            "address": f"{address}?{JOBS_OF[status]}",
        }
        for status in JobStatus
    ]


def _throughput(counts: selectors.Counts) -> dict[str, Any]:
    if not counts.videos:
        return {}
    every = counts.throughput
    return {
        "throughput": drawing.throughput(every),
        "first": every[0].day,
        "last_day": every[-1].day,
        "totals": {name: sum(getattr(day, name) for day in every) for name in ("created", "processed", "failed")},
        "agency_zone": timezone.get_default_timezone(),
    }


def _plans(videos: Iterable[Video], known: Known) -> list[Plan]:
    asked = list(videos)
    risks = risks_of(asked, known)
    return [
        Plan(
            video=video,
            at=video.goes_at,  # type: ignore[attr-defined]  # of the query
            zone=zone_of(video),
            risks=risks[video.pk],
            button=next(
                (button for risk in risks[video.pk] if (button := button_for(risk.action, video)) is not None), None
            ),
        )
        for video in asked
    ]


def _healths(accounts: Iterable[TikTokAccount], known: Known) -> list[Health]:
    since = timezone.now() - timedelta(hours=24)
    rows = []
    for account in accounts:
        found = health(account)
        posts = sum(since < at <= timezone.now() for at in known.moments.get(account.pk, []))
        rank, family, icon, words = _state(account, found.level, known.failures.get(account.pk, 0))
        rows.append(
            Health(
                account=account,
                rank=rank,
                family=family,
                icon=icon,
                words=words or found.sentence,
                posts=posts,
                days_left=found.days_left,
                button=_health_button(account, found.level, rank),
            )  # fmt: skip
        )
    return sorted(rows, key=lambda row: (row.rank, row.account.username))


def _state(account: TikTokAccount, level: str, failures: int) -> tuple[int, str, str, str]:
    """`(rank, family, icon, words)`; no words where the connection's own sentence says it."""
    circuit = getattr(account, "circuit", None)
    state = circuit.state if circuit else CircuitState.CLOSED
    if level == "lost":
        return 0, "attention", "unplug", ""
    if state == CircuitState.ISOLATED:
        return 1, "attention", "pause", gettext("Set apart: nothing goes out until somebody releases it.")
    if circuit and state == CircuitState.OPEN:
        words = gettext("Paused after several failures; next try %(next_try)s.")
        return 2, "waiting", "pause", words % {"next_try": moment(circuit.open_until, account.time_zone)}
    if state == CircuitState.HALF_OPEN:
        return 2, "waiting", "pause", gettext("Paused after several failures; one video is being tried.")
    if level == "soon":
        return 3, "waiting", "clock", ""
    if failures == THRESHOLD - 1:
        return 4, "waiting", "alert", gettext("Two failures in the last hour; the next one pauses it.")
    return 5, "done", "check-circle", ""


def _health_button(account: TikTokAccount, level: str, rank: int) -> Button | None:
    if level in {"lost", "soon"} and rank != 1:
        target = reverse("accounts:account_reconnect", args=[account.pk])
        return Button(kind="post", label=gettext("Reconnect"), target=target, icon="plug")
    if rank < 5:
        target = reverse("publishing:circuit_detail", args=[account.pk])
        return Button(kind="link", label=gettext("See why"), target=target, icon="shield")
    return None
