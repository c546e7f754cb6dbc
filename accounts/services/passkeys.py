"""Passkeys (WebAuthn) beside the phone, by django-otp-webauthn: its tables and its checks, behind our own doors.

The add-on's own addresses are not mounted: they would let a session that owes its code register a passkey and so
pay with it (docs/adr). A challenge is in the session, works once, and for the purpose that it was made for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import UserVerificationRequirement

from accounts.models import User
from accounts.services.second_factor import sessions_end
from audit.catalogue import Action
from audit.services.recording import audit_record

logger = logging.getLogger(__name__)

MOST = 10
#: In the session: the challenge that was sent, by its purpose.
NEW, USE = "passkey_new", "passkey_use"
CHALLENGE_SECONDS = 300


class PasskeyRefused(Exception):
    """The browser's answer does not prove what it should."""


class Helper(WebAuthnHelper):  # type: ignore[misc]
    """The add-on's, which asks the passkey for the person's finger or PIN where it has such a thing."""

    def get_generate_authentication_options_kwargs(self, **kwargs: Any) -> Any:
        options = super().get_generate_authentication_options_kwargs(**kwargs)
        return options | {"user_verification": UserVerificationRequirement.PREFERRED}


def passkeys_of(user: User) -> list[WebAuthnCredential]:
    """Oldest first."""
    return list(WebAuthnCredential.objects.filter(user=user, confirmed=True).order_by("pk"))


def passkey_begin(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey for the person."""
    if len(passkeys_of(user)) >= MOST:
        raise PasskeyRefused
    options, state = Helper(request=request).register_begin(user)
    request.session[NEW] = state | {"at": int(time.time())}
    return dict(options)


def passkey_add(request: HttpRequest, user: User, *, answer: Any, name: str) -> WebAuthnCredential:
    """Keep the passkey that the browser made. Raises PasskeyRefused."""
    state = _state(request, NEW)
    with transaction.atomic():
        passkey = _checked(lambda: Helper(request=request).register_complete(user, state, answer))
        passkey.name = name.replace("\x00", "").strip()[:60] or "Passkey"
        passkey.save(update_fields=["name"])
        audit_record(action=Action.MFA_ENROLLED, on=user, details={"passkey": passkey.name})
    return passkey


def passkey_ask(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the browser needs to use one of the person's passkeys."""
    if not passkeys_of(user):
        raise PasskeyRefused
    options, state = Helper(request=request).authenticate_begin(user=user, require_user_verification=False)
    request.session[USE] = state | {"at": int(time.time())}
    return dict(options)


def passkey_check(request: HttpRequest, user: User, *, answer: Any) -> WebAuthnCredential:
    """The person's passkey that signed the challenge. Raises PasskeyRefused."""
    try:
        state = _state(request, USE)
        passkey = _checked(lambda: Helper(request=request).authenticate_complete(user, state, answer))
        if not passkey.confirmed or passkey.user_id != user.pk:
            raise PasskeyRefused
    except PasskeyRefused:
        audit_record(action=Action.MFA_FAILED, on=user, details={"passkey": True})
        raise
    audit_record(action=Action.MFA_VERIFIED, on=user, details={"passkey": passkey.name})
    return passkey


@transaction.atomic
def passkey_remove(*, user: User, pk: int) -> bool:
    """Forget a passkey, and end all sessions; False when the person has no such one."""
    gone = WebAuthnCredential.objects.filter(user=user, pk=pk).delete()[0]
    if gone:
        sessions_end(user)
        audit_record(action=Action.MFA_REMOVED, on=user, details={"passkey": pk})
    return bool(gone)


def _state(request: HttpRequest, purpose: str) -> dict[str, Any]:
    """Taken out and written down before anything is checked: no answer is looked at twice."""
    state = request.session.pop(purpose, None)
    request.session.save(must_create=False)
    if not state or not 0 <= time.time() - state["at"] < CHALLENGE_SECONDS:
        raise PasskeyRefused
    return dict(state)


def _checked(check: Callable[[], Any]) -> Any:
    try:
        return check()
    except (WebAuthnException, OTPWebAuthnApiError, DatabaseError, ValueError, KeyError, TypeError) as error:
        logger.info("passkey_refused", extra={"error": type(error).__name__})
        raise PasskeyRefused from error
