"""Who may open a page: every view of the product asks for a person who has logged in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext
from django_htmx.middleware import HtmxDetails

from accounts.models import User

P = ParamSpec("P")


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


def _to_login(request: HttpRequest) -> HttpResponse:
    return leave_for(request, reverse("accounts:login"))


def leave_for(request: HttpRequest, where: str) -> HttpResponse:
    """A page is redirected, and comes back; a fragment makes the browser leave; a script gets a sentence to show."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=401, headers={"HX-Redirect": where})
    if wants_json(request):
        sentence = gettext("Your session has ended. Log in again in another tab, then retry: nothing here is lost.")
        return JsonResponse({"error": sentence}, status=401)
    return redirect_to_login(request.get_full_path(), where)


def wants_json(request: HttpRequest) -> bool:
    """Whether one of our scripts asks, which name JSON and nothing else."""
    return request.headers.get("Accept", "").startswith("application/json")


def is_verified_admin(user: object) -> bool:
    """Is this an administrator who has given the second factor in this session?"""
    verified = getattr(user, "is_verified", None)  # django-otp's middleware adds it
    return bool(getattr(user, "is_staff", False) and verified and verified())
