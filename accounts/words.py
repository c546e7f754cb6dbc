"""Refusals of the log-in's steps, as sentences."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext

from accounts.services.second_factor import CodeRefused
from accounts.services.throttle import TooFast


def code_refused(refusal: CodeRefused) -> str:
    """Wrong, used, or too soon after a wrong one."""
    if refusal.until and refusal.until > timezone.now():
        return gettext("Too many wrong codes: wait %(time)s, then try again.") % {"time": _wait(refusal.until)}
    return gettext("That code is not right, or was used already. Wait for the next one.")


def too_fast(refusal: TooFast) -> str:
    return gettext("Too many tries: wait %(time)s, then try again.") % {"time": _wait(refusal.until)}


def _wait(until: datetime) -> str:
    seconds = int((until - timezone.now()).total_seconds()) + 1
    return gettext("%(n)s seconds") % {"n": max(1, seconds)} if seconds < 60 else timeuntil(until)
