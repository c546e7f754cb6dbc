"""Who may open a page: every view of the product asks for a person who has logged in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.middleware import HtmxDetails

from accounts.models import User

P = ParamSpec("P")
#: Where a fragment's 401 sends the person (static/js/trouble.js offers it).
LOG_IN_AT = "Log-In-At"
#: And for what, when it is not the log-in: `proof` (accounts.reauthentication).
LOG_IN_WHY = "Log-In-Why"
#: Why a session ended (accounts.services.sessions), as the log-in page says it.
ENDINGS: dict[str, str | Promise] = {
    "idle": _("Your session ended because nothing was done in it for a while. Log in and go on where you were."),
    "old": _("Your session ended because it had lasted as long as one may. Log in and go on where you were."),
    "password": _("Your password is new. Log in with it."),
    "ended": _("Your session was ended, here or on another device. Log in and go on where you were."),
}


class MemberRequest(HttpRequest):
    """A request of a person who has logged in."""

    user: User
    htmx: HtmxDetails


Page = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def signed_in(page: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only logged-in people through; the others are sent to the log-in in the way their request understands."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return page(cast(MemberRequest, request), *args, **kwargs)
        return _to_login(request)

    return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], guarded)


def polled(page: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Scripts GET this page again and again: that somebody left it open does not keep the session alive."""
    page.is_polled = True  # type: ignore[attr-defined]
    return page


def is_polled(request: HttpRequest, page: object) -> bool:
    """Does a script ask by itself?"""
    return request.method == "GET" and bool(getattr(page, "is_polled", False))


def _to_login(request: HttpRequest) -> HttpResponse:
    why = getattr(request, "session_ended", "")  # accounts.middleware_sessions says it
    login = reverse("accounts:login") + (f"?why={why}" if why else "")
    return leave_for(request, login, ENDINGS.get(why, ""))


def leave_for(request: HttpRequest, where: str, sentence: str | Promise = "", *, why: str = "") -> HttpResponse:
    """A page is redirected, and comes back; a fragment keeps its page and is told where; a script gets a sentence."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=401, headers={LOG_IN_AT: where, LOG_IN_WHY: why})
    if wants_json(request):
        text = sentence or gettext(
            "Your session has ended. Log in again in another tab, then retry: nothing here is lost."
        )
        return JsonResponse({"error": str(text)}, status=401, headers={LOG_IN_AT: where, LOG_IN_WHY: why})
    return redirect_to_login(_way_back(request), where)


def _way_back(request: HttpRequest) -> str:
    """What a person sees afterwards: the page, or the one from which something was sent, which is not repeated."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return urlunsplit(("", "", *urlsplit(came_from)[2:4], ""))
    return "/"


def safe_next(request: HttpRequest) -> str:
    """Where the person wanted to go (`next`), if it is in this product."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if allowed else ""


def onward(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(safe_next(request) or resolve_url(settings.LOGIN_REDIRECT_URL))


def refuse(request: HttpRequest, sentence: str) -> HttpResponse:
    """403 with the reason, as the request understands it: a page, a fragment's text, or a script's sentence."""
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=403)
    if getattr(request, "htmx", False):
        return HttpResponse(sentence, status=403, content_type="text/plain; charset=utf-8")
    return render(request, "403.html", {"sentence": sentence}, status=403)


def wants_json(request: HttpRequest) -> bool:
    """Whether one of our scripts asks, which name JSON and nothing else."""
    return request.headers.get("Accept", "").startswith("application/json")


def is_verified_admin(user: object) -> bool:
    """Is this an administrator who has given the second factor in this session?"""
    verified = getattr(user, "is_verified", None)  # django-otp's middleware adds it
    return bool(getattr(user, "is_staff", False) and verified and verified())
