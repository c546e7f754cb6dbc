"""Logging in, choosing a language, and the accounts' page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language as django_set_language

from accounts.access import MemberRequest, signed_in
from accounts.forms import LoginForm
from accounts.models import OAuthToken, TikTokAccount
from accounts.selectors import accounts_for
from accounts.services import connections

#: With fewer days left the page asks for a reconnection before TikTok does.
DAYS_SOON = 14
REFUSALS = {
    "access_denied": _("You did not give the permission in TikTok, so nothing was connected."),
    "state_invalid": _("That trip to TikTok was too old or was used already. Start it again from here."),
    "scopes_missing": _("TikTok connected the account without permission to publish. Leave every box ticked."),
    "other_account": _("You chose another TikTok account than the one you wanted to reconnect. Nothing was changed."),
    "not_in_charge": _("That account is already here, in the charge of somebody else. Ask an administrator."),
}
#: Videos that go on once their account is connected again.
WAITING = ("held", "edited")
LOSSES = {
    "refresh_refused": _("TikTok no longer accepts our access."),
    "auth_removed": _("Somebody removed our access in TikTok."),
    "by_person": _("It was disconnected from here."),
}


class Login(LoginView):
    """The log-in; whoever is inside already goes on."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class Logout(LogoutView):
    """By POST only."""

    http_method_names = ["post", "options"]


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
    accounts = list(_with_posts(accounts_for(request.user), _zones(request.user.pk, request.user.is_staff)))
    cards = [(account, health(account)) for account in accounts]
    lost = sum(state.level == "lost" or _circuit(account) == "isolated" for account, state in cards)
    paused = sum(_circuit(account) in {"open", "half_open"} for account, _state in cards)
    return render(request, "accounts/account_list.html", {"cards": cards, "lost": lost, "paused": paused})


def _circuit(account: TikTokAccount) -> str:
    """The state of the account's circuit breaker; empty when nothing ever happened to it."""
    circuit = getattr(account, "circuit", None)
    return circuit.state if circuit else ""


def _zones(user_pk: int, is_staff: bool) -> Iterable[str]:
    accounts = TikTokAccount.objects.all() if is_staff else TikTokAccount.objects.filter(managers=user_pk)
    return set(accounts.order_by().values_list("time_zone", flat=True))


def _with_posts(accounts: QuerySet[TikTokAccount], zones: Iterable[str]) -> QuerySet[TikTokAccount]:
    """Accounts with their circuit, `posted_today` (since midnight in their zone), `last_posted_at` and `waiting`."""
    today = Q(pk__in=[])
    for zone in zones:
        today |= Q(time_zone=zone, videos__posted_at__gte=_midnight(zone))
    return (
        accounts.annotate(
            posted_today=Count("videos", filter=today),
            last_posted_at=Max("videos__posted_at"),
            waiting=Count("videos", filter=Q(videos__status="held")),
        )
        .select_related("circuit")
        .prefetch_related("managers")
    )


def _midnight(zone: str) -> datetime:
    return timezone.now().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


@require_POST
@signed_in
def account_connect(request: MemberRequest) -> HttpResponse:
    """Leave for TikTok's page to connect a new account."""
    return _to_tiktok(request, None)


@require_POST
@signed_in
def account_reconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Leave for TikTok's page to renew this account's access."""
    return _to_tiktok(request, get_object_or_404(accounts_for(request.user), pk=pk))


def _to_tiktok(request: MemberRequest, account: TikTokAccount | None) -> HttpResponse:
    address = connections.oauth_start(user=request.user, account=account, redirect_uri=_callback_address())
    return HttpResponseRedirect(address)


def _callback_address() -> str:
    """TikTok compares it letter by letter with the one that was registered: never from the request's host."""
    return f"{settings.SITE_URL}{reverse('accounts:account_callback')}"


@require_GET
@signed_in
def account_callback(request: MemberRequest) -> HttpResponse:
    """Back from TikTok: connect the account, or say why not."""
    if error := request.GET.get("error", ""):
        messages.error(request, _refusal(error))
        return redirect("accounts:account_list")
    try:
        account, created = connections.oauth_finish(
            user=request.user,
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            redirect_uri=_callback_address(),
        )
    except connections.OAuthRefused as refusal:
        messages.error(request, _refusal(refusal.code))
    else:
        messages.success(request, _connected(account, created=created))
    return redirect("accounts:account_list")


def _refusal(code: str) -> str:
    known = REFUSALS.get(code)
    return str(known) if known else gettext("TikTok did not connect the account (%(code)s).") % {"code": code[:64]}


def _connected(account: TikTokAccount, *, created: bool) -> str:
    waiting = account.videos.filter(status__in=WAITING).count()
    if created or not waiting:
        text = gettext("%(account)s is connected.") if created else gettext("%(account)s is connected again.")
    else:
        text = ngettext(
            "%(account)s is connected again; %(waiting)s video that waited goes on.",
            "%(account)s is connected again; %(waiting)s videos that waited go on.",
            waiting,
        )
    return text % {"account": account, "waiting": waiting}


@require_POST
@signed_in
def account_disconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Give the account's access back to TikTok."""
    account = get_object_or_404(accounts_for(request.user), pk=pk)
    connections.account_disconnect(account=account, reason="by_person", actor=request.user)
    messages.success(request, gettext("%(account)s is disconnected from TikTok.") % {"account": account})
    return redirect("accounts:account_list")
