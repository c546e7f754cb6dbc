"""Who may read the monitor, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.access import is_verified_admin
from monitoring.models import ApiKey
from subiteya.lib.ratelimits import Usage, use

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself reads the settings that name these classes

PER_MINUTE = 30
#: Alertmanager groups by itself: far more than it sends, and far less than what would hurt.
ALERTS_PER_MINUTE = 600


class ReadsTheMonitor(BasePermission):
    """A program with a key, or an administrator who has given the second factor."""

    message = _("Only administrators with a second factor, or a program with a key, may read this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiKey) or is_verified_admin(request.user)


class ThirtyAMinute(BaseThrottle):
    """Thirty requests a minute for each key and for each person."""

    group, per_minute = "monitor", PER_MINUTE
    usage: Usage | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        principal = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"person:{request.user.pk}"
        self.usage = use(request._request, group=self.group, principal=principal, per_minute=self.per_minute)
        request.usage = self.usage  # type: ignore[attr-defined]  # the view tells it in the answer's headers
        return not self.usage.exceeded

    def wait(self) -> float | None:
        return self.usage.seconds if self.usage else None


class AlertsAMinute(ThirtyAMinute):
    """Whoever delivers alerts and is out of hand is told to wait; Alertmanager then sends the same again."""

    group, per_minute = "alerts", ALERTS_PER_MINUTE
