"""Choosing a language, and the accounts' page with their health."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language as django_set_language

from accounts.access import MemberRequest, signed_in
from accounts.models import OAuthToken, TikTokAccount, User
from accounts.selectors import accounts_for, accounts_like

#: With fewer days left the page asks for a reconnection before TikTok does.
DAYS_SOON = 14
LOSSES = {
    "refresh_refused": _("TikTok no longer accepts our access."),
    "auth_removed": _("Somebody removed our access in TikTok."),
    "by_person": _("It was disconnected from here."),
}


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """The language cookie, and the person's own language when there is a person."""
    response = django_set_language(request)
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        request.user.language = language
        request.user.save(update_fields=["language"])
    return response


@dataclass(frozen=True)
class Health:
    """`level` is good, soon or lost; `sentence` says it."""

    level: str
    sentence: str
    days_left: int | None = None


def health(account: TikTokAccount) -> Health:
    """The account's connection, in a sentence."""
    token: OAuthToken | None = getattr(account, "token", None)
    if not account.is_connected or token is None:
        why = LOSSES.get(account.status_reason, "")
        what = gettext("Disconnected from TikTok.")
        return Health("lost", f"{what} {why}".strip())
    days = max(0, (token.refresh_expires_at - timezone.now()).days)
    if days > DAYS_SOON:
        return Health("good", gettext("Connected; it publishes without anything from you."), days)
    text = ngettext(
        "Connected, for one more day: reconnect it soon.",
        "Connected, for %(days)s more days: reconnect it soon.",
        days,
    )
    return Health("soon", text % {"days": days}, days)


@require_GET
@signed_in
def account_list(request: MemberRequest) -> HttpResponse:
    """A card per account in the person's charge, with its health and today's posts."""
    accounts = list(_with_posts(accounts_for(request.user), _zones(request.user)))
    cards = [(account, health(account)) for account in accounts]
    lost = sum(state.level == "lost" or _circuit(account) == "isolated" for account, state in cards)
    paused = sum(_circuit(account) in {"open", "half_open"} for account, _state in cards)
    return render(request, "accounts/account_list.html", {"cards": cards, "lost": lost, "paused": paused})


@require_GET
@signed_in
def account_names(request: MemberRequest) -> HttpResponse:
    """The names with `?who=` in them, as options for the field in which one is typed."""
    found = accounts_like(request.user, request.GET.get("who", "")[:100].replace("\0", ""))
    return render(request, "accounts/_names.html", {"accounts": found})


def _circuit(account: TikTokAccount) -> str:
    """The state of the account's circuit breaker; empty when nothing ever happened to it."""
    circuit = getattr(account, "circuit", None)
    return circuit.state if circuit else ""


def _zones(user: User) -> Iterable[str]:
    return set(TikTokAccount.objects.for_user(user).order_by().values_list("time_zone", flat=True))


def _with_posts(accounts: QuerySet[TikTokAccount], zones: Iterable[str]) -> QuerySet[TikTokAccount]:
    """Accounts with their circuit, `posted_today` (since midnight in their zone), `last_posted_at` and `waiting`."""
    today = Q(pk__in=[])
    for zone in zones:
        today |= Q(time_zone=zone, videos__posted_at__gte=_midnight(zone))
    return (
        accounts.annotate(
            posted_today=Count("videos", filter=today),
            last_posted_at=Max("videos__posted_at"),
            # What a person holds does not wait for the account.
            waiting=Count("videos", filter=Q(videos__status="held") & ~Q(videos__reason_code="held_by_person")),
        )
        .select_related("circuit")
        .prefetch_related("managers")
    )


def _midnight(zone: str) -> datetime:
    return timezone.now().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
