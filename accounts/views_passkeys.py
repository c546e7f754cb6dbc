"""Passkeys: made, used after the password or for a proof, removed. What scripts ask is answered in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_otp import login as otp_login

from accounts.access import MemberRequest, onward, signed_in
from accounts.middleware import CODE_DUE
from accounts.reauthentication import proof_wanted
from accounts.services import passkeys, second_factor
from accounts.services.passkeys import PasskeyRefused
from accounts.trust import trust
from audit.catalogue import Action
from audit.services.recording import audit_record
from subiteya.lib.ratelimits import limited

P = ParamSpec("P")
Answering = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
#: An answer of a browser is some kilobytes at most.
MOST_BYTES = 64_000


def offered(page: Answering[P]) -> Answering[P]:
    """Only where browsers allow passkeys: for a host with a name, over HTTPS or on this machine."""

    @wraps(page)
    def guarded(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not settings.PASSKEYS:
            raise Http404
        try:
            return page(request, *args, **kwargs)
        except PasskeyRefused:
            return JsonResponse({"error": gettext("That did not work. Try it again, or use another way.")}, status=403)

    return cast(Answering[P], guarded)


@require_POST
@never_cache
@signed_in
@proof_wanted
@offered
def passkey_begin(request: MemberRequest) -> HttpResponse:
    """The challenge for a new passkey: for whoever has the phone set up, and gave both factors."""
    _both_factors(request)
    return JsonResponse(passkeys.passkey_begin(request, request.user))


@require_POST
@never_cache
@signed_in
@proof_wanted
@offered
def passkey_add(request: MemberRequest) -> HttpResponse:
    """The new passkey."""
    _both_factors(request)
    body = _body(request)
    passkey = passkeys.passkey_add(
        request, request.user, answer=body.get("credential"), name=str(body.get("name") or "")
    )
    messages.success(request, gettext("Passkey %(name)s is ready.") % {"name": passkey.name})
    return JsonResponse({"id": passkey.pk})


@require_POST
@signed_in
@proof_wanted
def passkey_remove(request: MemberRequest, pk: int) -> HttpResponse:
    """Forget one; every other session ends. This one goes on with the phone as its second factor."""
    if not passkeys.passkey_remove(user=request.user, pk=pk):
        raise Http404
    update_session_auth_hash(request, request.user)
    if phone := second_factor.device_of(request.user):
        otp_login(request, phone)
    messages.success(request, gettext("That passkey opens nothing any more."))
    return redirect("accounts:security")


@require_POST
@never_cache
@signed_in
@limited("passkey", per_minute=30, by="address")
@offered
def passkey_ask(request: MemberRequest) -> HttpResponse:
    """The challenge for a passkey of the person."""
    return JsonResponse(passkeys.passkey_ask(request, request.user))


@require_POST
@never_cache
@signed_in
@limited("passkey", per_minute=30, by="address")
@offered
def passkey_verify(request: MemberRequest) -> HttpResponse:
    """The passkey in the place of the code: after the password, and for a proof."""
    passkey = passkeys.passkey_check(request, request.user, answer=_body(request).get("credential"))
    if CODE_DUE not in request.session:
        audit_record(action=Action.SESSION_CONFIRMED, on=request.user, details={"passkey": passkey.name})
    trust(request, passkey)
    return JsonResponse({"next": onward(request).url})


def _both_factors(request: MemberRequest) -> None:
    if not request.user.is_verified():  # type: ignore[attr-defined]
        raise PasskeyRefused


def _body(request: MemberRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body) if int(request.META.get("CONTENT_LENGTH") or 0) <= MOST_BYTES else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise PasskeyRefused
    return body
