"""Trips to TikTok's page: connecting, reconnecting, disconnecting; also by the link that an account's owner got."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import TikTokAccount
from accounts.reauthentication import proof_wanted
from accounts.selectors import accounts_for
from accounts.services import connections
from accounts.services.invitations import InvitationOver, invited_account
from subiteya.lib.ratelimits import limited, use

REFUSALS = {
    "access_denied": _("You did not give the permission in TikTok, so nothing was connected."),
    "state_invalid": _("That trip to TikTok was too old or was used already. Start it again from here."),
    "scopes_missing": _("TikTok connected the account without permission to publish. Leave every box ticked."),
    "other_account": _("You chose another TikTok account than the one you wanted to reconnect. Nothing was changed."),
    "not_in_charge": _("That account is already here, in the charge of somebody else. Ask an administrator."),
}
#: Videos that go on once their account is connected again.
WAITING = ("held", "edited")
#: Each trip by a link is a row; nobody needs more of them.
TRIPS_A_MINUTE = 10
#: In the session: the link that its owner came with, and where a person wants to be after the trip.
INVITATION, AFTER = "invitation", "after_tiktok"


@limited("connect", per_minute=20)
@require_POST
@signed_in
def account_connect(request: MemberRequest) -> HttpResponse:
    """Leave for TikTok's page to connect a new account."""
    return _leave(request, None)


@limited("connect", per_minute=20)
@require_POST
@signed_in
def account_reconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Leave for TikTok's page to renew this account's access; `next` is where to come back to."""
    return _leave(request, get_object_or_404(accounts_for(request.user), pk=pk))


def _leave(request: MemberRequest, account: TikTokAccount | None) -> HttpResponse:
    request.session.pop(INVITATION, None)
    request.session[AFTER] = request.POST.get("next", "")
    address = connections.oauth_start(user=request.user, account=account, redirect_uri=_callback_address())
    return HttpResponseRedirect(address)


@limited("invitation_page", per_minute=60, by="address", methods=("GET", "POST"))
@never_cache
@require_http_methods(["GET", "POST"])
def account_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET: what the owner of the account is asked for. POST: leave for TikTok's page. No log-in: the link is enough.

    It can only renew the access to its own account: another TikTok account is refused when it comes back.
    """
    try:
        account = invited_account(token)
    except InvitationOver:
        return render(request, "accounts/invitation.html", {"over": True}, status=410)
    if request.method == "POST":
        if use(request, group="invitation", principal=str(account.pk), per_minute=TRIPS_A_MINUTE).exceeded:
            refusal = gettext("Too many tries at once. Wait a minute.")
            context = {"refusal": refusal, "again": request.path}
            return render(request, "accounts/invitation.html", context, status=429)
        request.session[INVITATION] = token
        address = connections.oauth_start(user=None, account=account, redirect_uri=_callback_address())
        return HttpResponseRedirect(address)
    return render(request, "accounts/invitation.html", {"account": account})


@limited("callback", per_minute=30, by="address", methods=("GET",))
@require_GET
def account_callback(request: HttpRequest) -> HttpResponseBase:
    """Back from TikTok: connect the account, or say why not."""
    if INVITATION in request.session:
        return _owner_back(request, request.session.pop(INVITATION))
    return _member_back(request)


def _owner_back(request: HttpRequest, token: str) -> HttpResponse:
    context = {"again": reverse("accounts:account_invitation", args=[token])}
    try:
        account, _created = _finish(request, None)
    except connections.OAuthRefused as refusal:
        return render(request, "accounts/invitation.html", context | {"refusal": _refusal(refusal.code)}, status=422)
    return render(request, "accounts/invitation.html", {"account": account, "done": True})


@signed_in
def _member_back(request: MemberRequest) -> HttpResponse:
    after = request.session.pop(AFTER, "")
    try:
        account, created = _finish(request, request)
    except connections.OAuthRefused as refusal:
        messages.error(request, _refusal(refusal.code))
    else:
        messages.success(request, _connected(account, created=created))
    if url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(after)
    return redirect("accounts:account_list")


def _finish(request: HttpRequest, member: MemberRequest | None) -> tuple[TikTokAccount, bool]:
    """The account that TikTok gave us access to, and whether it is new. Raises OAuthRefused."""
    user, state = member.user if member else None, request.GET.get("state", "")
    if error := request.GET.get("error", ""):
        connections.oauth_give_up(user=user, state=state)
        raise connections.OAuthRefused(error)
    return connections.oauth_finish(
        user=user,
        state=state,
        code=request.GET.get("code", ""),
        redirect_uri=_callback_address(),
    )


def _callback_address() -> str:
    """TikTok compares it letter by letter with the one that was registered: never from the request's host."""
    return f"{settings.SITE_URL}{reverse('accounts:account_callback')}"


def _refusal(code: str) -> str:
    known = REFUSALS.get(code)
    return str(known) if known else gettext("TikTok did not connect the account (%(code)s).") % {"code": code[:64]}


def _connected(account: TikTokAccount, *, created: bool) -> str:
    waiting = account.videos.filter(status__in=WAITING).exclude(reason_code="held_by_person").count()
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
@proof_wanted
def account_disconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Give the account's access back to TikTok."""
    account = get_object_or_404(accounts_for(request.user), pk=pk)
    connections.account_disconnect(account=account, reason="by_person", actor=request.user)
    messages.success(request, gettext("%(account)s is disconnected from TikTok.") % {"account": account})
    return redirect("accounts:account_list")
