"""The list of videos: its filters, its pages, and what keeps it live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, polled, signed_in
from accounts.selectors import account_named, names_of
from publishing.forms import VideoFilterForm
from publishing.models import Video
from publishing.selectors.filters import YEARS, moment_of, statuses_of
from publishing.selectors.looks import Amount, Looker, Tally
from publishing.selectors.places import Key
from publishing.selectors.videos import videos_for, videos_in_order
from publishing.services.acts import MOST
from publishing.states import FAMILIES, Family
from publishing.views.filters import chips_of, choices_of, filters_of, list_address, list_query, views_of
from publishing.views.rows import Shown, shown, shown_rows

PAGE = 30
#: Rows that a browser may ask about at once.
WATCHED = 150


@require_GET
@signed_in
def video_list(request: MemberRequest) -> HttpResponse:
    """The videos in the person's charge, newest first; a fragment with more of them for `?before=<pk>`."""
    asked = _by_name(request, VideoFilterForm.read(request.GET))
    look = Looker(user=request.user)
    context = _page(request, look, asked) | {"asked": asked}
    if request.htmx and "before" in asked:
        return render(request, "publishing/_rows.html", context)
    accounts, many = names_of(request.user, chosen=asked.get("account"))
    families, matching = _counts(look, asked)
    context |= {
        "accounts": accounts,
        "many_accounts": many,
        "who": accounts.get(asked.get("account", 0), asked.get("who", "")),
        "choices": choices_of(asked),
        "families": families,
        "live": list_address(asked, live=True),
        "chips": chips_of(asked, accounts),
        "views": views_of(request.user, asked),
        "query": list_query(asked),
        "matching": Amount(max(matching.number, len(context["rows"])), matching.more),
        "newest": _newest(asked),
        "most": MOST,
        "hiding": [] if context["rows"] or context["more"] else _hiding(look, asked, accounts),
    }
    return render(request, "publishing/video_list.html", context)


def _by_name(request: MemberRequest, asked: dict[str, Any]) -> dict[str, Any]:
    """`who` as the account of that name; the addresses that are made of the filters have its number."""
    if "who" not in asked:
        return asked
    if account := account_named(request.user, asked["who"]):
        return {**asked, "account": account}
    messages.error(request, gettext("No account in your charge is called “%(name)s”.") % {"name": asked["who"]})
    return asked


def _newest(asked: Mapping[str, Any]) -> int:
    """The highest number there is, where the rows are not in the order of their numbers: only above it is news."""
    if moment_of(asked) != "scheduled_at":
        return 0
    return Video.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _hiding(look: Looker, asked: Mapping[str, Any], accounts: Mapping[int, str]) -> list[dict[str, Any]]:
    """The filters of which each alone hides everything, with what there would be without it."""
    amounts = look.hiding(filters_of(asked))
    return [chip | {"amount": amounts[chip["name"]]} for chip in chips_of(asked, accounts) if chip["name"] in amounts]


def _page(request: MemberRequest, look: Looker, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`rows`, `more`: the address of the next ones, by the last key (new videos shift nothing), and `looked_back`: the
    day until which a long look found only these.
    """
    found = look.page(filters_of(asked), size=PAGE, before=_before(asked))
    rows = shown_rows(videos_in_order(found.pks), request.user)
    if not found.after:
        return {"rows": rows, "more": "", "looked_back": None}
    last, at = found.after.pk, found.after.at
    day = Video.objects.values_list("created_at", flat=True).get(pk=last) if found.cut else None
    more = list_address(asked, before=last, at=at.isoformat() if at else "")
    return {"rows": rows, "more": more, "looked_back": at or day if found.cut else None}


def _before(asked: Mapping[str, Any]) -> Key | None:
    """Where the page goes on; a place by number alone is none in a list that is ordered by a moment."""
    at = asked.get("at")
    if "before" not in asked or (moment_of(asked) and (at is None or at.year not in YEARS)):
        return None
    return Key(at, asked["before"])


def _counts(look: Looker, asked: Mapping[str, Any]) -> tuple[Shown, Amount]:
    """The chips of the families with their counts under the other filters, and how many match all of them."""
    filters = filters_of(asked)
    others = {name: value for name, value in filters.items() if name not in {"family", "status"}}
    tally, statuses = look.tally(others), statuses_of(filters)
    matching = tally.of() if statuses is None else tally.of(statuses)
    if matching.more and statuses is not None:
        matching = look.tally(filters).of(statuses)
    return shown("publishing/_families.html", {"families": _families(asked, tally)}, 0), matching


def _words_of(amount: Amount) -> str:
    """`12`, or `10.000+` where counting stopped."""
    return f"{floatformat(amount.number, '0g')}+" if amount.more else str(amount.number)


def _families(asked: Mapping[str, Any], tally: Tally) -> list[dict[str, Any]]:
    """Those to mend come first."""
    order = (
        Family.ATTENTION, Family.YOURS, Family.WORKING, Family.WAITING, Family.QUEUED, Family.DONE, Family.ENDED,
    )  # fmt: skip
    chips = [
        {
            "family": family.value,
            "count": _words_of(tally.of(FAMILIES[family])),
            "address": list_address(asked, status="", family="" if asked.get("family") == family else family.value),
            "chosen": asked.get("family") == family,
        }
        for family in order
    ]
    total = {"family": "", "count": _words_of(tally.of()), "address": list_address(asked, family="", status="")}
    return [total | {"chosen": "family" not in asked and "status" not in asked}, *chips]


@polled
@require_GET
@signed_in
def video_list_live(request: MemberRequest) -> HttpResponse:
    """What changed since the browser looked: `v=<pk>-<version>,…` are the rows it shows, `newest` its first key.

    204 when nothing did. Changed rows, new rows and the counts come as out-of-band pieces.
    """
    asked = VideoFilterForm.read(request.GET)
    known = _known(request.GET.get("v", ""))
    videos = videos_for(request.user).filter(pk__in=known)
    changed = [row for row in shown_rows(videos, request.user) if row.version != known[row.pk]]
    look = Looker(user=request.user)
    context: dict[str, Any] = {"changed": changed, "fresh": _fresh(request, look, asked)}
    counts, _matching = _counts(look, asked)
    if counts.version != request.GET.get("counts", ""):
        context["counts"] = counts
    if not any(context.values()):
        return HttpResponse(status=204)
    return render(request, "publishing/_changes.html", context)


def _known(text: str) -> dict[int, str]:
    """`12-ab12cd34,13-…` as {12: "ab12cd34"}; nonsense is left out."""
    pairs = (item.partition("-") for item in text.split(",")[:WATCHED])
    return {int(pk): version for pk, _dash, version in pairs if pk.isdecimal() and len(pk) < 18}


def _fresh(request: MemberRequest, look: Looker, asked: Mapping[str, Any]) -> list[Shown]:
    newest = request.GET.get("newest", "")
    if not newest.isdecimal() or len(newest) > 17:
        return []
    found = look.newer(filters_of(asked), than=int(newest), size=PAGE)
    return shown_rows(videos_in_order(found), request.user)
