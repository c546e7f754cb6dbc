"""Alerts: what goes on, what is over, and what to do about it."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, signed_in
from monitoring.alerts.looks import reconciler_stalled
from monitoring.alerts.rules import BY_NAME
from monitoring.alerts.runbooks import runbook as runbook_sections
from monitoring.selectors.alerts import alerts_closed, alerts_open


@require_GET
@signed_in
def alerts(request: MemberRequest) -> HttpResponse:
    """Every alert that this person may see. Whether anybody still looks is asked now, not remembered."""
    context = {
        "rows": alerts_open(request.user),
        "closed": alerts_closed(request.user),
        "blind": any(reconciler_stalled(timezone.now())),
    }
    return render(request, "monitoring/alerts.html", context)


@require_GET
@signed_in
def runbook(request: MemberRequest, name: str) -> HttpResponse:
    """What to do about one alert: commands and buttons of administrators, so for them only."""
    rule = BY_NAME.get(name)
    if rule is None or not request.user.is_staff:
        raise Http404
    mine = [row for row in alerts_open(request.user) if row.runbook == name]
    context = {"rule": rule, "sections": runbook_sections(name), "rows": mine}
    return render(request, "monitoring/runbook.html", context)
