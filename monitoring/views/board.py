"""The page of the monitor: an administrator sees everything, a community manager their own accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Formatter
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, polled, signed_in
from accounts.models import TikTokAccount, User
from monitoring import drawing
from monitoring.selectors import charts
from monitoring.selectors.accounts import Trouble, accounts_with_failures
from monitoring.selectors.jobs import capacity
from monitoring.selectors.stages import processing_seconds
from monitoring.selectors.videos import daily_throughput, publish_success_rate, start_of
from monitoring.services.counters import counters, series_of
from publishing.causes import cause_for, clock_text, sentence
from publishing.models import Video
from publishing.states import CircuitState
from publishing.views.circuits import FAMILIES
from publishing.views.rows import Shown, shown

PERIODS = (7, 30, 90)
STAGES: dict[str, str | Promise] = {
    "edit": _("Edit"), "upload": _("Upload"), "verify": _("TikTok's verdict"), "total": _("From start to published"),
}  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """A row of a bar list: its words, its number and the bars' widths out of `drawing.WIDTH`."""

    label: str | Promise
    value: int
    width: int
    inner: int = 0
    half: str = ""
    most: str = ""
    note: str = ""


@require_GET
@signed_in
def board(request: MemberRequest) -> HttpResponse:
    """How it goes, over `?days=` 7, 30 or 90."""
    days = _days(request)
    context = {"part": _part(request.user, days), "days": days, "periods": PERIODS}
    return render(request, "monitoring/board.html", context)


@polled
@require_GET
@signed_in
def board_live(request: MemberRequest) -> HttpResponse:
    """The changing part; 204 when the browser has this version (`?v=`) of it."""
    days = _days(request)
    part = _part(request.user, days)
    if request.GET.get("v") == part.version:
        return HttpResponse(status=204)
    return render(request, "monitoring/_board.html", {"part": part, "days": days, "oob": True})


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else PERIODS[0]


def _part(user: User, days: int) -> Shown:
    accounts = TikTokAccount.objects.for_user(user)
    mine = None if user.sees_everything else accounts
    since = start_of(timezone.localdate() - timedelta(days=days - 1))
    context = {
        "zone": timezone.get_default_timezone(),
        "days": days,
        "may_act": user.may_act,
        "everything": user.sees_everything,
        "begun": Video.objects.for_user(user).exists(),
        **_videos(days, since, mine),
        **(_machine() if user.sees_everything else {}),
        "troubles": [(row, *_state(row)) for row in accounts_with_failures(accounts)],
        "refusals": _refusals(since, mine, calls=user.sees_everything),
        "tokens": charts.tokens_ending(accounts),
    }
    return shown("monitoring/_board_live.html", context, 0)


def _videos(days: int, since: datetime, accounts: QuerySet[TikTokAccount] | None) -> dict[str, Any]:
    every = daily_throughput(days, accounts)
    rate = publish_success_rate(accounts)["all"]
    return {
        "throughput": drawing.throughput(every),
        "first": every[0].day,
        "last": every[-1].day,
        "totals": {name: sum(getattr(day, name) for day in every) for name in ("created", "processed", "failed")},
        "rate": rate,
        "percent": round(100 * rate.rate) if rate.rate is not None else None,
        "stages": _stages(since, accounts),
        "causes": _causes(since, accounts),
    }


def _stages(since: datetime, accounts: QuerySet[TikTokAccount] | None) -> list[Bar]:
    found = {name: stage for name, stage in processing_seconds(since, accounts).items() if stage.count}
    longest = max((stage.p95 or 0 for stage in found.values()), default=0)
    return [
        Bar(
            STAGES[name], stage.count, drawing.share(stage.p95 or 0, longest), drawing.share(stage.p50 or 0, longest),
            half=clock_text(round(1000 * (stage.p50 or 0))), most=clock_text(round(1000 * (stage.p95 or 0))),
        )
        for name, stage in found.items()
    ]  # fmt: skip


def _causes(since: datetime, accounts: QuerySet[TikTokAccount] | None) -> list[Bar]:
    found = charts.failures_by_cause(since, accounts)
    most = max((number for _code, number in found), default=0)
    return [Bar(_words(code), number, drawing.share(number, most), note=code) for code, number in found]


def _words(code: str) -> str:
    """The cause as the catalogue says it, of many videos at once: with … for what was measured in each."""
    if not code:
        return str(_("Without a cause"))
    places = {name for _text, name, _form, _kind in Formatter().parse(str(cause_for(code).what)) if name}
    return sentence(code, dict.fromkeys(places - {"code"}, "…"))


def _machine() -> dict[str, Any]:
    """Work against history and hands; they are of all accounts together."""
    found, peaks = capacity(), charts.daily_peaks()
    whole = max(found.now, found.peak30d, found.capacity, 1)
    return {
        "capacity": found,
        "share": round(100 * found.share) if found.share is not None else None,
        "meter": {name: drawing.share(getattr(found, name), whole) for name in ("now", "peak30d", "capacity")},
        "peaks": peaks,
        "curve": drawing.curve(peaks, found.capacity),
    }


def _state(row: Trouble) -> tuple[str, str, str]:
    """Family, icon and word of the account's circuit."""
    state = CircuitState(row.breaker)
    return *FAMILIES[state], str(state.label)


def _refusals(since: datetime, accounts: QuerySet[TikTokAccount] | None, *, calls: bool) -> list[dict[str, Any]]:
    """Per endpoint: failed calls of the period, and (of all accounts together) all calls that were ever made."""
    found = charts.refusals(since, accounts)
    most = max(row.failures for row in found)
    made: dict[str, int] = {}
    if calls:
        for labels, value in series_of("tiktok_api_requests_total", counters()).items():
            made[labels[0]] = made.get(labels[0], 0) + int(value)
    return [
        {"row": row, "calls": made.get(row.endpoint, 0), "width": drawing.share(row.failures, most)}
        for row in found if row.failures or made.get(row.endpoint)
    ]  # fmt: skip
