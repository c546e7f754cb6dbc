"""The subtitle report as a page, and its counts as a file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, signed_in
from audit.catalogue import Action
from audit.services.recording import audit_record
from insights.drawing import course, forest, views_forest
from insights.exports import strata_sheet
from insights.forms import PeriodForm
from insights.reports import Shown
from insights.selectors.subtitles import Filters, strata
from insights.services.reports import report_for
from insights.statistics.proportions import wilson
from insights.statistics.report import METHOD
from insights.statistics.verdict import Caution, Verdict
from insights.words import (
    CAUTIONS,
    SAID_ABOVE,
    VIEWS_CAUTIONS,
    advice,
    difference_words,
    verdict_words,
    views_words,
)

#: Seconds after which a browser asks for a report that is being made.
ASK_AGAIN = "5"
#: Colour and icon of a verdict.
TONES = {
    Verdict.SUBTITLES_BETTER: ("done", "check-circle"),
    Verdict.NONE_BETTER: ("queued", "check-circle"),
    Verdict.NO_EVIDENCE: ("ended", "minus"),
    Verdict.NOT_ENOUGH_DATA: ("waiting", "clock"),
    Verdict.CONFOUNDED: ("attention", "alert"),
}


@require_GET
@signed_in
def report(request: MemberRequest) -> HttpResponse:
    """What people chose, or (`?by=lot`) what was drawn; never both in one."""
    form, filters = _asked(request)
    answer = report_for(filters)
    context = {
        "form": form,
        "filters": filters,
        "by_lot": filters.randomised,
        "query": _query(request),
        "made_at": answer.made_at and timezone.localtime(answer.made_at),
        "failed_at": answer.failed_at and timezone.localtime(answer.failed_at),
        "is_pending": answer.shown is None,
        "is_empty": answer.shown is not None and not answer.shown.accounts,
        "method": METHOD,
        "today": timezone.localtime(),
        **(_shown(answer.shown) if answer.shown else {}),
    }
    response = render(request, "insights/subtitles.html", context)
    if answer.shown is None and answer.failed_at is None:
        response["Refresh"] = ASK_AGAIN
    return response


def _shown(found: Shown) -> dict[str, Any]:
    """What the page says, for the template."""
    return {
        "report": found,
        "main": found.main,
        "verdict": {**_verdict(found.main, difference_words(found.main)), "advice": advice(found.main)},
        "views": _verdict(found.views, views_words(found.views)) if found.views.auto.n + found.views.none.n else None,
        "cautions": [CAUTIONS[caution] for caution in found.main.warnings],
        "views_cautions": [VIEWS_CAUTIONS[caution] for caution in found.views.warnings if caution not in SAID_ABOVE],
        "simpson": Caution.SIMPSON in found.main.warnings,
        "arms": _arms(found),
        "forest": forest(found.main, found.accounts),
        "views_forest": views_forest(found.views, found.views_accounts),
        "course": course(found.course),
    }


@require_GET
@signed_in
def strata_csv(request: MemberRequest) -> HttpResponse:
    """The counts behind the report, as `manage.py subtitles_ab --strata` reads them."""
    _form, filters = _asked(request)
    audit_record(action=Action.EXPORT_CSV, on=("report", "subtitles"), details={"query": request.GET.urlencode()})
    name = f"subiteya-subtitles-{timezone.localdate().isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(strata_sheet(strata(filters)), content_type="text/csv; charset=utf-8", headers=headers)


def _asked(request: MemberRequest) -> tuple[PeriodForm, Filters]:
    form = PeriodForm(request.GET, user=request.user)
    form.is_valid()
    return form, form.filters(randomised=request.GET.get("by") == "lot")


def _query(request: HttpRequest) -> str:
    """The filters of this page for a link to another, without what the link decides."""
    query = request.GET.copy()
    query.pop("by", None)
    return query.urlencode()


def _verdict(part: Any, words: str) -> dict[str, Any]:
    tone, picture = TONES[part.verdict]
    return {"words": verdict_words(part), "numbers": words, "tone": tone, "icon": picture, "report": part}


def _arms(found: Shown) -> list[dict[str, Any]]:
    both = found.main.both
    return [
        {"name": name, "arm": arm, "interval": wilson(arm), "excluded": found.excluded[name]}
        for name, arm in (("auto", both.auto), ("none", both.none))
    ]
