"""The second factor: a code of the phone (TOTP, by django-otp), or a recovery code.

Checking is serialised by a lock on the device's row: a code works once, and failures are counted, however many
requests come at the same time. After each failure the next try has to wait twice as long.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from accounts.models import RecoveryCode, User
from audit.catalogue import Action
from audit.origin import is_acting
from audit.services.recording import audit_record

CODES = 10
#: Without letters and digits that look alike: 12 of them are 59 bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 3, 4
#: More are not counted, so that the wait, which doubles, ends at half an hour: whoever knows a password could otherwise
#: keep its owner out for days.
MOST_FAILURES = 12


class CodeRefused(Exception):
    """The code does not open. `until`: none is looked at before then."""

    def __init__(self, until: datetime | None = None) -> None:
        self.until = until
        super().__init__("code refused")


def device_of(user: User) -> TOTPDevice | None:
    """The person's phone, if it is set up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def has_second_factor(user: User) -> bool:
    """Is the person asked for more than the password?"""
    return device_of(user) is not None


def enrolment_of(user: User) -> TOTPDevice:
    """The phone that is being set up: the same one until it is confirmed."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).order_by("pk").first()
    return device or TOTPDevice.objects.create(user=user, name="phone", confirmed=False)


def enrol_confirm(*, user: User, token: str) -> tuple[TOTPDevice, list[str]]:
    """The first code of the new phone proves it: it replaces the old one, and all other sessions end.

    Answers the device and new recovery codes. Raises CodeRefused.
    """
    device = enrolment_of(user)
    _check(device, token, recovery=False)
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        codes = recovery_codes_make(user=user)
        sessions_end(user)
        audit_record(action=Action.MFA_ENROLLED, on=user)
    device.confirmed = True
    return device, codes


def code_check(*, user: User, text: str) -> TOTPDevice:
    """The person's device, when `text` is its code of now or an unused recovery code. Raises CodeRefused."""
    device = device_of(user)
    if device is None:
        raise CodeRefused
    _check(device, text, recovery=True)
    return device


def _check(device: TOTPDevice, text: str, *, recovery: bool) -> None:
    with transaction.atomic():
        locked = TOTPDevice.objects.select_for_update().get(pk=device.pk)
        allowed, why = locked.verify_is_allowed()
        opened = allowed and _opens(locked, text, recovery=recovery)
        TOTPDevice.objects.filter(pk=device.pk, throttling_failure_count__gt=MOST_FAILURES).update(
            throttling_failure_count=MOST_FAILURES
        )
        audit_record(action=Action.MFA_VERIFIED if opened else Action.MFA_FAILED, on=device.user,
                     details={} if allowed else {"throttled": True})  # fmt: skip
    # Raised out here: inside it would roll back the count of failures.
    if not allowed:
        raise CodeRefused(why["locked_until"])
    if not opened:
        raise CodeRefused


def _opens(device: TOTPDevice, text: str, *, recovery: bool) -> bool:
    plain = "".join(text.split())
    if plain.isascii() and plain.isdigit() and len(plain) == device.digits:
        return bool(device.verify_token(plain))
    used = recovery and RecoveryCode.objects.filter(
        user=device.user, code_hash=_hash(device.user, plain), used_at=None
    ).update(used_at=timezone.now())  # fmt: skip
    device.throttle_reset() if used else device.throttle_increment()
    return bool(used)


@transaction.atomic
def recovery_codes_make(*, user: User) -> list[str]:
    """Ten new codes in place of the old ones; nobody can show them again."""
    RecoveryCode.objects.filter(user=user).delete()
    codes = ["-".join(get_random_string(GROUP, ALPHABET) for _group in range(GROUPS)) for _code in range(CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_hash=_hash(user, code)) for code in codes])
    audit_record(action=Action.MFA_CODES_MADE, on=user)
    return codes


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


@transaction.atomic
def second_factor_remove(*, user: User) -> bool:
    """Forget phone, passkeys and recovery codes, and end all sessions; False when there was nothing."""
    tables = (TOTPDevice, RecoveryCode, WebAuthnCredential)
    gone = sum(table.objects.filter(user=user).delete()[0] for table in tables)
    sessions_end(user)
    if gone:
        audit_record(action=Action.MFA_REMOVED if is_acting(user) else Action.MFA_RESET, on=user)
    return bool(gone)


def sessions_end(user: User) -> None:
    """Every session of the person ends; the caller may renew the one at hand."""
    user.security_stamp = secrets.token_hex(16)
    user.save(update_fields=["security_stamp"])


def _hash(user: User, code: str) -> str:
    """Keyed by the installation's secret: a copy of the table alone opens nothing."""
    text = code.lower().replace("-", "")
    return salted_hmac("accounts.recovery", f"{user.pk}:{text}", algorithm="sha256").hexdigest()
