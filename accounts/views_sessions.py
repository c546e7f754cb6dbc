"""A person's own sessions: where they are logged in, and ending what is not theirs any more."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, signed_in
from accounts.browsers import browser_words, is_phone
from accounts.middleware_sessions import ROW
from accounts.models_sessions import PersonSession
from accounts.services import sessions


@dataclass(frozen=True)
class Shown:
    """A session as its owner recognises it."""

    row: PersonSession
    browser: str
    phone: bool
    this: bool


def shown_sessions(request: MemberRequest) -> list[Shown]:
    """The person's sessions, this one first."""
    here = request.session.get(ROW)
    rows = [
        Shown(row, browser_words(row.user_agent), is_phone(row.user_agent), row.pk == here)
        for row in sessions.sessions_of(request.user)
    ]
    return sorted(rows, key=lambda shown: not shown.this)


@require_POST
@signed_in
def session_end(request: MemberRequest, pk: int) -> HttpResponse:
    """End one of the person's sessions; this one is a log-out."""
    if not sessions.session_end(user=request.user, pk=pk):
        raise Http404
    if request.session.get(ROW) == pk:
        logout(request)
        return redirect("accounts:login")
    messages.success(request, gettext("That session is over."))
    return redirect("accounts:security")


@require_POST
@signed_in
def sessions_end_others(request: MemberRequest) -> HttpResponse:
    """End all of the person's sessions but this one."""
    count = sessions.sessions_end_others(user=request.user, keep=request.session.get(ROW))
    text = ngettext("%(count)s other session is over.", "%(count)s other sessions are over.", count)
    messages.success(request, text % {"count": count})
    return redirect("accounts:security")
