"""The notices of a person: the bell, the list, read and unread, and the way to what mends it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, polled, signed_in
from notices.forms import ReadForm
from notices.models import NoticeCopy
from notices.selectors.rows import copies_shown, older_than, row_of, rows_of, unread_count, with_rows
from notices.services.people import preferences_of
from notices.services.reading import notices_read, notices_unread

PAGE = 40


@require_GET
@signed_in
def notice_list(request: MemberRequest) -> HttpResponse:
    """The person's notices by day, newest first. `unread=1`: only those; `before=<pk>`: older ones."""
    only_unread = request.GET.get("unread") == "1"
    copies = copies_shown(request.user)
    if only_unread:
        copies = copies.filter(read_at=None)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 18:
        copies = older_than(copies, int(before))
    found = list(copies[: PAGE + 1])
    rows = rows_of(found[:PAGE])
    zone = preferences_of(request.user).zone
    context = {
        "days": [(day, list(of)) for day, of in groupby(rows, key=lambda r: r.notice.at.astimezone(zone).date())],
        "zone": zone,
        "only_unread": only_unread,
        "more": _address(only_unread, before=rows[-1].pk) if len(found) > PAGE else "",
        "undo": _undo(request),
    }
    return render(request, "notices/list.html", context)


def _address(only_unread: bool, **values: Any) -> str:
    query = QueryDict(mutable=True)
    query.update({"unread": "1"} if only_unread else {})
    query.update({name: str(value) for name, value in values.items()})
    return f"{reverse('notices:list')}?{query.urlencode()}".rstrip("?")


def _undo(request: HttpRequest) -> str:
    """The moment at which notices were just marked as read, when the address names one."""
    try:
        at = parse_datetime(request.GET.get("undo", ""))
    except ValueError:
        at = None
    return at.isoformat() if at and at.tzinfo else ""


@polled
@require_GET
@signed_in
def bell(request: MemberRequest) -> HttpResponse:
    """The bells as out-of-band pieces; 204 when the browser shows this number (`?v=`) already."""
    unread = unread_count(request.user)
    known = request.GET.get("v", "")
    if known == str(unread):
        return HttpResponse(status=204)
    louder = known.isdecimal() and int(known[:9]) < unread
    return render(request, "notices/_bells.html", {"unread": unread, "louder": louder})


@require_POST
@signed_in
def read(request: MemberRequest) -> HttpResponse:
    """Mark one notice (`pk`) or all as read; the list offers to undo it."""
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise Http404
    at, count = notices_read(user=request.user, pk=form.cleaned_data["pk"])
    only_unread = request.POST.get("unread") == "1"
    return redirect(_address(only_unread, undo=at.isoformat()) if count else _address(only_unread))


@require_POST
@signed_in
def unread(request: MemberRequest) -> HttpResponse:
    """Mark one notice (`pk`), or those read at the moment `at`, as unread again."""
    form = ReadForm(request.POST)
    if not form.is_valid() or not (form.cleaned_data["pk"] or form.cleaned_data["at"]):
        raise Http404
    notices_unread(user=request.user, pk=form.cleaned_data["pk"], at=form.cleaned_data["at"])
    return redirect(_address(request.POST.get("unread") == "1"))


@require_http_methods(["GET", "POST"])
@signed_in
def notice_open(request: MemberRequest, pk: int) -> HttpResponse:
    """Go where it can be mended, and mark it as read. A POST presses the button itself, in the same request."""
    copy = with_rows(NoticeCopy.objects.for_user(request.user)).filter(pk=pk).first()
    if copy is None:
        raise Http404
    notices_read(user=request.user, pk=pk)
    row = row_of(copy)
    if request.method == "POST" and row.button and row.button.kind == "post":
        # 307: the browser repeats the request there, with the same fields.
        return HttpResponseRedirect(row.button.target, preserve_request=True)
    where = row.button.target if row.button and row.button.kind == "link" else row.href
    return HttpResponseRedirect(where)
