"""Ways in, as browsers take them: the form, the code, a phone that was set up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from accounts.services.second_factor import enrol_confirm, enrolment_of

PASSWORD = "a long password"
CODE = "/login/code/"


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    """What the phone shows now, or `steps` half minutes later."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = timezone.now().timestamp() + steps * device.step
    return f"{totp.token():06}"


def enrolled(user: User) -> tuple[TOTPDevice, list[str]]:
    """A person whose phone is set up since some time ago."""
    with time_machine.travel(timezone.now() - timedelta(minutes=5), tick=False):
        return enrol_confirm(user=user, token=code_of(enrolment_of(user)))


def try_password(client: Client, username: str, password: str = PASSWORD, *, at: str = "/login/", **extra: Any) -> Any:
    return client.post(at, {"username": username, "password": password}, **extra)


def logged_in(user: User, **extra: Any) -> Client:
    """Through the form, with the password only."""
    client = Client(**extra)
    assert try_password(client, user.username).status_code == 302
    return client


def wholly_in(user: User, device: TOTPDevice, **extra: Any) -> Client:
    """With both factors."""
    client = logged_in(user, **extra)
    assert client.post(CODE, {"code": code_of(device)}).status_code == 302
    return client
