"""The page on which a session proves again that its person is there."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, onward, safe_next, signed_in
from accounts.middleware_sessions import ROW
from accounts.reauthentication import proof_note
from accounts.services import second_factor
from accounts.services.passkeys import passkeys_of
from accounts.services.second_factor import CodeRefused
from accounts.services.throttle import TooFast, attempt_begin, attempt_forgive
from accounts.words import code_refused, too_fast
from audit.catalogue import Action
from audit.services.recording import audit_record
from subiteya.lib.addresses import client_address
from subiteya.lib.ratelimits import limited


@limited("prove", per_minute=30)
@require_http_methods(["GET", "POST"])
@never_cache
@signed_in
def prove(request: MemberRequest) -> HttpResponseBase:
    """The code of now, of whoever has a second factor; the password of the others."""
    if request.method == "GET":
        return _page(request)
    wants_code = second_factor.has_second_factor(request.user)
    if error := _code_error(request) if wants_code else _password_error(request):
        audit_record(action=Action.SESSION_CONFIRM_FAILED, on=request.user)
        return _page(request, error)
    audit_record(action=Action.SESSION_CONFIRMED, on=request.user)
    proof_note(request)
    return onward(request)


def _page(request: MemberRequest, error: str = "") -> HttpResponse:
    context = {
        "wants_code": second_factor.has_second_factor(request.user),
        "passkeys": settings.PASSKEYS and passkeys_of(request.user),
        "undone": bool(request.GET.get("undone")),
        "next": safe_next(request),
        "error": error,
    }
    return render(request, "accounts/prove.html", context, status=403 if error else 200)


def _code_error(request: MemberRequest) -> str:
    try:
        second_factor.code_check(user=request.user, text=request.POST.get("code", ""))
    except CodeRefused as refusal:
        return code_refused(refusal)
    return ""


def _password_error(request: MemberRequest) -> str:
    """Guessing here is slowed down as at the log-in, for this session."""
    device = f"session {request.session.get(ROW)}"
    username = request.user.get_username()
    try:
        attempt = attempt_begin(username=username, address=client_address(request), device=device)
    except TooFast as refusal:
        return too_fast(refusal)
    if not request.user.check_password(request.POST.get("password", "")):
        return gettext("That is not your password.")
    attempt_forgive(attempt)
    return ""
