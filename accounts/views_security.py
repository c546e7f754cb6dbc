"""The second factor's pages: the code after the password, setting up the phone, recovery codes."""

from __future__ import annotations

from base64 import b32encode

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, onward, safe_next, signed_in
from accounts.middleware import CODE_DUE
from accounts.reauthentication import proof_wanted
from accounts.services import second_factor
from accounts.services.passkeys import passkeys_of
from accounts.services.second_factor import CodeRefused
from accounts.trust import trust
from accounts.views_sessions import shown_sessions
from accounts.words import code_refused
from subiteya.lib.ratelimits import limited


@require_http_methods(["GET", "POST"])
@never_cache
@signed_in
@limited("log_in_code", per_minute=30, by="address")  # strangers, who get the log-in, do not use it up for others
def verify(request: MemberRequest) -> HttpResponseBase:
    """The code after the password. Until it is right, this session opens nothing else."""
    there = onward(request)
    if second_factor.device_of(request.user) is None:
        request.session.pop(CODE_DUE, None)
        return there
    if request.method == "GET":
        return _code_page(request)
    try:
        device = second_factor.code_check(user=request.user, text=request.POST.get("code", ""))
    except CodeRefused as refusal:
        return _code_page(request, refusal)
    trust(request, device)
    return there


def _code_page(request: MemberRequest, refusal: CodeRefused | None = None) -> HttpResponse:
    context = {
        "error": code_refused(refusal) if refusal else "",
        "next": safe_next(request),
        "passkeys": settings.PASSKEYS and passkeys_of(request.user),
    }
    return render(request, "accounts/verify.html", context, status=403 if refusal else 200)


@require_GET
@never_cache
@signed_in
def security(request: MemberRequest) -> HttpResponse:
    """Whether there is a second factor, and what to do about it."""
    return _security_page(request)


def _security_page(request: MemberRequest, error: str = "") -> HttpResponse:
    context = {
        "device": second_factor.device_of(request.user),
        "left": second_factor.recovery_codes_left(request.user),
        "sessions": shown_sessions(request),
        "passkeys": passkeys_of(request.user),
        "offered": settings.PASSKEYS,
        "error": error,
    }
    return render(request, "accounts/security.html", context, status=403 if error else 200)


@limited("second_factor", per_minute=30)
@require_http_methods(["GET", "POST"])
@never_cache
@signed_in
@proof_wanted
def enrol(request: MemberRequest) -> HttpResponseBase:
    """Set up a phone, or another one in its place. It counts once a code of it was typed."""
    if _is_half_open(request):
        return redirect("accounts:verify")
    error = ""
    if request.method == "POST":
        try:
            device, codes = second_factor.enrol_confirm(user=request.user, token=request.POST.get("code", ""))
        except CodeRefused as refusal:
            error = code_refused(refusal)
        else:
            update_session_auth_hash(request, request.user)
            trust(request, device)
            return _codes_page(request, codes)
    return render(
        request, "accounts/enrol.html", {"secret": _secret(request), "error": error}, status=403 if error else 200
    )


@require_GET
@never_cache
@signed_in
@proof_wanted
def qr_code(request: MemberRequest) -> HttpResponse:
    """The enrolment as a QR code, for the phone's camera. Only before it is confirmed."""
    if _is_half_open(request):
        return HttpResponse(status=403)
    picture = HttpResponse(content_type="image/svg+xml")
    code = segno.make(second_factor.enrolment_of(request.user).config_url, error="m")
    code.save(picture, kind="svg", scale=5, border=2, light="white", xmldecl=False)  # type: ignore[arg-type]
    return picture


@limited("second_factor", per_minute=30)
@require_POST
@never_cache
@signed_in
@proof_wanted
def recovery_codes(request: MemberRequest) -> HttpResponseBase:
    """New recovery codes in place of the old ones."""
    if not second_factor.has_second_factor(request.user):
        return redirect("accounts:security")
    return _codes_page(request, second_factor.recovery_codes_make(user=request.user))


@limited("second_factor", per_minute=30)
@require_POST
@signed_in
@proof_wanted
def remove(request: MemberRequest) -> HttpResponseBase:
    """Go on without a second factor: not for administrators, who can only replace it."""
    if request.user.is_staff:
        return _security_page(request, gettext("Administrators need a second factor: set up another phone instead."))
    second_factor.second_factor_remove(user=request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, gettext("From now on your password is enough to log in."))
    return redirect("accounts:security")


def _is_half_open(request: MemberRequest) -> bool:
    """The password was given and the code is due: that is not enough to replace the phone."""
    return CODE_DUE in request.session and not request.user.is_verified()  # type: ignore[attr-defined]


def _codes_page(request: MemberRequest, codes: list[str]) -> HttpResponse:
    page = render(request, "accounts/recovery_codes.html", {"codes": codes})
    page["Cache-Control"] = "no-store"
    return page


def _secret(request: MemberRequest) -> str:
    """What the QR code holds, in groups of four, for phones without a camera."""
    text = b32encode(second_factor.enrolment_of(request.user).bin_key).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))
