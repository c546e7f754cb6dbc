"""The audit record, to read: for whoever sees everything, administrators and auditors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, signed_in
from audit.models import AuditEntry
from monitoring.forms import AuditFilterForm
from monitoring.selectors.audit import GROUPS, NOBODY, audit_standing, entries_matching, people
from publishing.selectors.filters import day_of

PAGE = 40
#: In the order of the page; `before` is no filter.
NAMES = ("group", "person", "since", "until", "trace", "q")
#: Where the page of an object is, for those who see everything.
PLACES = {"publishing.video": "publishing:video_detail", "accounts.tiktokaccount": "publishing:circuit_detail"}


@require_GET
@signed_in
def audit(request: MemberRequest) -> HttpResponse:
    """The entries, newest first; a fragment with older ones for `?before=<pk>`."""
    if not request.user.sees_everything:
        raise Http404
    asked = AuditFilterForm.read(request.GET)
    rows, more = _page(asked)
    context: dict[str, Any] = {"rows": rows, "more": more, "zone": timezone.get_default_timezone()}
    if request.htmx and "before" in asked:
        return render(request, "monitoring/_audit_rows.html", context)
    everybody = people()
    context |= {
        "asked": asked,
        "standing": audit_standing(),
        "groups": [(name, label) for name, (label, _kinds) in GROUPS.items()],
        "people": everybody,
        "nobody": NOBODY,
        "days": {name: _iso(asked.get(name, "")) for name in ("since", "until")},
        "chips": _chips(asked, dict(everybody)),
    }
    return render(request, "monitoring/audit.html", context)


def _page(asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """One page of rows and the address of the next one, by the last key: new entries shift nothing."""
    entries = entries_matching(asked)
    if "before" in asked:
        entries = entries.filter(pk__lt=asked["before"])
    found = list(entries[: PAGE + 1])
    rows = [_row(entry) for entry in found[:PAGE]]
    return rows, _address(asked, before=found[PAGE - 1].pk) if len(found) > PAGE else ""


def _address(asked: Mapping[str, Any], **changed: Any) -> str:
    """The page with these filters; an empty value takes one away."""
    values = {name: asked[name] for name in NAMES if name in asked} | changed
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in values.items() if value})
    return f"{reverse('monitoring:audit')}?{query.urlencode()}".rstrip("?")


def _row(entry: AuditEntry) -> dict[str, Any]:
    place = PLACES.get(entry.object_type) if entry.object_id.isdecimal() else None
    return {
        "entry": entry,
        "number": "" if entry.sequence is None else str(entry.sequence),
        "facts": [(str(name), _text(value)) for name, value in _details(entry.details)],
        "page": reverse(place, args=[entry.object_id]) if place else "",
        "is_video": entry.object_type == "publishing.video",
        "trace": _address({}, trace=entry.trace_id) if entry.trace_id else "",
    }


def _details(details: Any) -> list[tuple[Any, Any]]:
    return list(details.items()) if isinstance(details, dict) else [("", details)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _chips(asked: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each filter that is set: what it says, and the address without it."""
    words: dict[str, Callable[[Any], str]] = {
        "group": lambda value: str(GROUPS[value][0]),
        "person": lambda value: (
            gettext("nobody who was logged in") if value == NOBODY else names.get(value, f"#{value}")
        ),
        "since": lambda value: gettext("from %(day)s") % {"day": _day(value)},
        "until": lambda value: gettext("until %(day)s") % {"day": _day(value)},
        "trace": lambda value: gettext("trace %(trace)s") % {"trace": value},
        "q": lambda value: f"“{value}”",
    }
    return [
        {"words": say(asked[name]), "address": _address(asked, **{name: ""})}
        for name, say in words.items()
        if name in asked
    ]


def _day(text: str) -> str:
    return date_format(day_of(text) or timezone.localdate(), gettext("M j, Y"))


def _iso(text: str) -> str:
    day = day_of(text)
    return day.isoformat() if day else ""
