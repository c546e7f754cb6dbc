"""The second factor's pages: the code after the password, setting up the phone, recovery codes."""

from __future__ import annotations

from base64 import b32encode

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timesince import timeuntil
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.access import MemberRequest, signed_in
from accounts.middleware import CODE_DUE
from accounts.services import second_factor
from accounts.services.second_factor import CodeRefused


@require_http_methods(["GET", "POST"])
@never_cache
@signed_in
def verify(request: MemberRequest) -> HttpResponseBase:
    """The code after the password. Until it is right, this session opens nothing else."""
    onward = _onward(request)
    if second_factor.device_of(request.user) is None:
        request.session.pop(CODE_DUE, None)
        return onward
    if request.method == "GET":
        return _code_page(request)
    try:
        device = second_factor.code_check(user=request.user, text=request.POST.get("code", ""))
    except CodeRefused as refusal:
        return _code_page(request, refusal)
    _trust(request, device)
    return onward


def _code_page(request: MemberRequest, refusal: CodeRefused | None = None) -> HttpResponse:
    context = {"error": _sentence(refusal) if refusal else "", "next": _next(request)}
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
        "error": error,
    }
    return render(request, "accounts/security.html", context, status=403 if error else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@signed_in
def enrol(request: MemberRequest) -> HttpResponseBase:
    """Set up a phone, or another one in its place. It counts once a code of it was typed."""
    if _is_half_open(request):
        return redirect("accounts:verify")
    error = ""
    if request.method == "POST":
        try:
            device, codes = second_factor.enrol_confirm(user=request.user, token=request.POST.get("code", ""))
        except CodeRefused as refusal:
            error = _sentence(refusal)
        else:
            update_session_auth_hash(request, request.user)
            _trust(request, device)
            return _codes_page(request, codes)
    return render(
        request, "accounts/enrol.html", {"secret": _secret(request), "error": error}, status=403 if error else 200
    )


@require_GET
@never_cache
@signed_in
def qr_code(request: MemberRequest) -> HttpResponse:
    """The enrolment as a QR code, for the phone's camera. Only before it is confirmed."""
    if _is_half_open(request):
        return HttpResponse(status=403)
    picture = HttpResponse(content_type="image/svg+xml")
    code = segno.make(second_factor.enrolment_of(request.user).config_url, error="m")
    code.save(picture, kind="svg", scale=5, border=2, light="white", xmldecl=False)  # type: ignore[arg-type]
    return picture


@require_POST
@signed_in
def recovery_codes(request: MemberRequest) -> HttpResponse:
    """New recovery codes in place of the old ones; the phone's code says that it is really the person."""
    try:
        second_factor.code_check(user=request.user, text=request.POST.get("code", ""))
    except CodeRefused as refusal:
        return _security_page(request, _sentence(refusal))
    return _codes_page(request, second_factor.recovery_codes_make(user=request.user))


@require_POST
@signed_in
def remove(request: MemberRequest) -> HttpResponseBase:
    """Go on without a second factor: not for administrators, who can only replace it."""
    if request.user.is_staff:
        return _security_page(request, gettext("Administrators need a second factor: set up another phone instead."))
    try:
        second_factor.code_check(user=request.user, text=request.POST.get("code", ""))
    except CodeRefused as refusal:
        return _security_page(request, _sentence(refusal))
    second_factor.second_factor_remove(user=request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, gettext("From now on your password is enough to log in."))
    return redirect("accounts:security")


def _trust(request: MemberRequest, device: TOTPDevice) -> None:
    """This session has given both factors; it gets a new key, so that one that was planted is worth nothing."""
    request.session.pop(CODE_DUE, None)
    request.session.cycle_key()
    otp_login(request, device)


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


def _sentence(refusal: CodeRefused) -> str:
    if refusal.until and refusal.until > timezone.now():
        seconds = (refusal.until - timezone.now()).total_seconds()
        wait = gettext("%(n)s seconds") % {"n": int(seconds) + 1} if seconds < 60 else timeuntil(refusal.until)
        return gettext("Too many wrong codes: wait %(time)s, then try again.") % {"time": wait}
    return gettext("That code is not right, or was used already. Wait for the next one.")


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go, if it is in this product."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if allowed else ""


def _onward(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(_next(request) or resolve_url("publishing:home"))
