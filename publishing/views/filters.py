"""The list's filters as the page shows them: addresses, chips, choices, and the person's saved ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import User
from publishing.causes import sentence
from publishing.errors import NotPossible
from publishing.forms import SavedFilterForm, VideoFilterForm
from publishing.models import UNDO_FOR, SavedFilter
from publishing.selectors.filters import NAMES, day_of
from publishing.services import filters as service
from publishing.states import Family, VideoStatus
from publishing.views.undoing import forget_undo, offer_undo

#: What everybody has, the failures first: name, query, icon.
BUILT_IN = (
    (_("Failed ones"), "family=attention", "alert"),
    (_("Unconfirmed"), "status=unconfirmed", "eye"),
    (_("Waiting for a pause"), "status=held", "pause"),
    (_("Held by people"), "status=held&cause=held_by_person", "user"),
    (_("Go out today"), "family=queued&on=scheduled&since=today&until=today", "calendar"),
    (_("In the inbox"), "status=in_inbox", "inbox"),
    (_("To approve"), "status=awaiting_approval", "check"),
)
FAMILY_NAMES = {
    Family.ATTENTION: _("To mend"), Family.YOURS: _("Your turn"), Family.WORKING: _("Working"),
    Family.WAITING: _("Waiting"), Family.QUEUED: _("Queued"), Family.DONE: _("Published"),
    Family.ENDED: _("Cancelled"),
}  # fmt: skip
DAY_NAMES = {
    "yesterday": _("yesterday"), "today": _("today"), "tomorrow": _("tomorrow"), "week_ago": _("a week ago"),
    "in_a_week": _("in a week"),
}  # fmt: skip


def filters_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Only the filters, not the page."""
    return {name: asked[name] for name in NAMES if name in asked}


def list_query(asked: Mapping[str, Any], **changed: Any) -> str:
    """The filters as a query string, in a fixed order; an empty value takes one away."""
    values = filters_of(asked) | changed
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in values.items() if value})
    return query.urlencode()


def list_address(asked: Mapping[str, Any], *, live: bool = False, **changed: Any) -> str:
    """The list's address with these filters."""
    page = reverse("publishing:video_list_live" if live else "publishing:video_list")
    return f"{page}?{list_query(asked, **changed)}".rstrip("?")


def chips_of(asked: Mapping[str, Any], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Each filter that is set: its name, what it says, and the address without it. `names`: of the accounts."""
    words: dict[str, Callable[[Any], str]] = {
        "family": lambda value: str(FAMILY_NAMES[Family(value)]),
        "status": lambda value: str(VideoStatus(value).label),
        "cause": lambda value: sentence(value, {"account": gettext("the account")}),
        "account": lambda value: names.get(value, gettext("another account")),
        "batch": lambda _value: gettext("only this submission"),
        "since": lambda value: gettext("%(moment)s from %(day)s") % {"moment": _moment(asked), "day": _day(value)},
        "until": lambda value: gettext("%(moment)s until %(day)s") % {"moment": _moment(asked), "day": _day(value)},
        "q": lambda value: f"“{value}”",
    }
    return [
        {"name": name, "words": say(asked[name]), "address": list_address({**asked, name: ""})}
        for name, say in words.items()
        if asked.get(name)
    ]


def _moment(asked: Mapping[str, Any]) -> str:
    return gettext("goes out") if asked.get("on") == "scheduled" else gettext("sent")


def _day(text: str) -> str:
    if text in DAY_NAMES:
        return str(DAY_NAMES[text])
    day = day_of(text) or timezone.localdate()
    return date_format(day, gettext("M j") if day.year == timezone.localdate().year else gettext("M j, Y"))


def choices_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of the filters offers; a day that moves with the calendar is shown as the day that it is now."""
    days = {name: day_of(str(asked.get(name, ""))) for name in ("since", "until")}
    return {"statuses": VideoStatus.choices, **{name: day.isoformat() if day else "" for name, day in days.items()}}


def views_of(user: User, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The built-in filters and the person's own; `current` is the one that is shown, `unsaved` when it is none."""
    now = list_query(asked)
    own = list(SavedFilter.objects.for_user(user).kept())
    built_in = [
        {"name": name, "query": query, "icon": icon, "chosen": _same(query, asked)} for name, query, icon in BUILT_IN
    ]
    mine = [{"saved": one, "chosen": _same(one.query, asked)} for one in own]
    chosen = any(view["chosen"] for view in [*built_in, *mine])
    return {"built_in": built_in, "own": mine, "unsaved": bool(now) and not chosen}


def _same(query: str, asked: Mapping[str, Any]) -> bool:
    return _read(query) == filters_of(asked)


@lru_cache(maxsize=512)
def _read(query: str) -> Mapping[str, Any]:
    """A saved query's filters. Kept: a form takes longer to make than the list's page has for all of its saved ones."""
    return MappingProxyType(VideoFilterForm.read(QueryDict(query)))


# A person's own


@require_POST
@signed_in
def filter_save(request: MemberRequest) -> HttpResponse:
    """Form fields `name` and `query` (the list's query string)."""
    form = SavedFilterForm(request.POST)
    if not form.is_valid():
        return _say(request, form.first_error())
    asked = VideoFilterForm.read(QueryDict(form.cleaned_data["query"]))
    try:
        saved = service.filter_save(user=request.user, name=form.cleaned_data["name"], query=list_query(asked))
    except NotPossible as error:
        return _say(request, str(error))
    messages.success(request, gettext("“%(name)s” is saved.") % {"name": saved.name})
    return _show(saved.query)


@require_POST
@signed_in
def filter_rename(request: MemberRequest, pk: int) -> HttpResponse:
    """Form field `name`."""
    saved = _mine(request, pk)
    form = SavedFilterForm(request.POST)
    if not form.is_valid():
        return _say(request, form.first_error())
    try:
        service.filter_rename(saved=saved, name=form.cleaned_data["name"])
    except NotPossible as error:
        return _say(request, str(error))
    messages.success(request, gettext("It is called “%(name)s” now.") % {"name": saved.name})
    return _show(saved.query)


@require_POST
@signed_in
def filter_delete(request: MemberRequest, pk: int) -> HttpResponse:
    """It goes, and can be brought back for half a minute."""
    saved = _mine(request, pk)
    service.filter_delete(saved=saved)
    offer_undo(
        request, target=reverse("publishing:filter_restore", args=[pk]), until=timezone.now() + UNDO_FOR,
        text=gettext("“%(name)s” is deleted.") % {"name": saved.name},
    )  # fmt: skip
    return _show("")


@require_POST
@signed_in
def filter_restore(request: MemberRequest, pk: int) -> HttpResponse:
    """Bring a deleted one back."""
    saved = _mine(request, pk)
    forget_undo(request)
    service.filter_restore(saved=saved)
    return _show(saved.query)


def _mine(request: MemberRequest, pk: int) -> SavedFilter:
    return get_object_or_404(SavedFilter.objects.for_user(request.user), pk=pk)


def _show(query: str) -> HttpResponse:
    return redirect(f"{reverse('publishing:video_list')}?{query}".rstrip("?"))


def _say(request: MemberRequest, text: str) -> HttpResponse:
    messages.error(request, text)
    return redirect("publishing:video_list")
