"""The hashtag report: what is used, what worked, what is suggested and why, and what never is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import Sector, TikTokAccount
from audit.catalogue import Action
from audit.services.recording import audit_record
from insights.exports import leaders_sheet
from insights.forms import BlockForm, PeriodForm
from insights.models import BlockedTopic
from insights.selectors.results import suggestion_results
from insights.selectors.sectors import sectors_of
from insights.selectors.suggestions import SectorSuggestions, suggest_all
from insights.selectors.topics import Leader, topic_leaders, topic_leaders_overall
from insights.services.suggestions import NoHashtag, topic_block, topics_blocked
from insights.statistics.proportions import wilson
from insights.statistics.tables import Arm, Interval
from publishing.models import UNDO_FOR
from publishing.views.undoing import forget_undo, offer_undo

#: Lines of a sector: where there are few sectors, and where there are more of them than a person compares.
SHOWN, SHOWN_OF_MANY, FEW = 12, 5, 3
#: All of them, in the file.
EXPORTED = 1_000


@dataclass(frozen=True)
class Line:
    """A topic in a table: what is known, and the interval of its share above the median."""

    leader: Leader
    interval: Interval | None


@dataclass(frozen=True)
class Part:
    """One sector's part of the page."""

    sector: Sector
    lines: list[Line]
    suggestions: SectorSuggestions


@require_GET
@signed_in
def report(request: MemberRequest) -> HttpResponse:
    """The person's sectors, each with its leaders and today's suggestions. Other people's accounts have no names."""
    form, since, until, sectors = _asked(request)
    leaders = topic_leaders(
        start=since, end=until, sectors=sectors, limit=SHOWN if len(sectors) <= FEW else SHOWN_OF_MANY
    )
    mine = None
    if not request.user.sees_everything:
        mine = list(TikTokAccount.objects.for_user(request.user).filter(sector__in=sectors).only("pk", "sector"))
    # whoever sees everything is told what the sectors say: no accounts are more theirs than others
    suggested = suggest_all(sectors, accounts=mine or ())
    parts = [Part(found.sector, _lines(leaders.get(found.sector.name, [])), found) for found in suggested]
    overall = topic_leaders_overall(start=since, end=until, accounts=mine)
    context: dict[str, Any] = {
        "form": form, "filters": {"sector": form.cleaned_data.get("sector") and form.cleaned_data["sector"].pk},
        "parts": parts, "overall": _lines(overall), "query": request.GET.urlencode(),
        "results": suggestion_results(request.user), "blocked": topics_blocked(sectors), "sectors": sectors,
        "block_form": BlockForm(user=request.user), "today": timezone.now().date(),
    }  # fmt: skip
    for name in ("took", "took_none"):
        context[name] = wilson(getattr(context["results"], name))
    return render(request, "insights/hashtags.html", context)


@require_GET
@signed_in
def leaders_csv(request: MemberRequest) -> HttpResponse:
    """Every topic of the person's sectors in the period."""
    _form, since, until, sectors = _asked(request)
    audit_record(action=Action.EXPORT_CSV, on=("report", "hashtags"), details={"query": request.GET.urlencode()})
    name = f"subiteya-hashtags-{timezone.localdate().isoformat()}.csv"
    leaders = topic_leaders(start=since, end=until, sectors=sectors, limit=EXPORTED)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(leaders_sheet(leaders), content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@signed_in
def block(request: MemberRequest) -> HttpResponse:
    """Put a hashtag on the block list of one of the person's sectors, or (administrators) of all."""
    form = BlockForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("insights:hashtags")
    asked = form.cleaned_data
    try:
        row = topic_block(typed=asked["hashtag"], sector=asked["sector"], user=request.user, reason=asked["reason"])
    except NoHashtag as error:
        messages.error(request, str(error))
        return redirect("insights:hashtags")
    text = gettext("#%(name)s is not suggested any more.") % {"name": row.name}
    offer_undo(request, target=reverse("insights:unblock_here", args=[row.pk]), text=text,
               until=timezone.now() + UNDO_FOR)  # fmt: skip
    return redirect(f"{reverse('insights:hashtags')}#blocked")


@require_POST
@signed_in
def unblock(request: MemberRequest, pk: int) -> HttpResponse:
    """Let a hashtag be suggested again: one of the person's sectors, or (administrators) any."""
    rows = BlockedTopic.objects.all()
    if not request.user.is_staff:
        rows = rows.filter(sector__in=sectors_of(request.user))
    row = get_object_or_404(rows, pk=pk)
    row.delete()
    forget_undo(request)
    messages.success(request, gettext("#%(name)s may be suggested again.") % {"name": row.name})
    return redirect(f"{reverse('insights:hashtags')}#blocked")


def _asked(request: MemberRequest) -> tuple[PeriodForm, date, date | None, list[Sector]]:
    """The form, the first day (all of history where none was typed), the last (None: today) and the sectors."""
    form = PeriodForm(request.GET, user=request.user)
    form.is_valid()
    asked = form.cleaned_data
    sectors = [asked["sector"]] if asked.get("sector") else list(sectors_of(request.user).order_by("name"))
    return form, asked.get("since") or date.min, asked.get("until"), sectors


def _lines(leaders: list[Leader]) -> list[Line]:
    return [Line(leader, wilson(Arm(leader.hits, leader.counted))) for leader in leaders]
