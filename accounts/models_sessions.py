"""Who is logged in where, and how often somebody failed to log in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PersonSession(models.Model):
    """A log-in that goes on: without its row a session is worth nothing, whatever its cookie says.

    The session names its row; the row knows no key of the session.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", verbose_name=_("person")
    )
    seal = models.CharField(max_length=64, verbose_name=_("seal"))
    address = models.CharField(max_length=45, blank=True, verbose_name=_("address"))
    user_agent = models.CharField(max_length=300, blank=True, verbose_name=_("browser's own words"))
    started_at = models.DateTimeField(verbose_name=_("since"))
    seen_at = models.DateTimeField(verbose_name=_("last seen"))

    class Meta:
        ordering = ["-seen_at", "-pk"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"{self.user} {self.started_at:%Y-%m-%d %H:%M}"


class FailureCount(models.Model):
    """How often something was tried in vain by one of `accounts.services.throttle`'s principals, which are hashed."""

    principal = models.CharField(max_length=64, unique=True, verbose_name=_("principal"))
    failures = models.PositiveIntegerField(default=0, verbose_name=_("failures"))
    failed_at = models.DateTimeField(db_index=True, verbose_name=_("last failure"))
    free_at = models.DateTimeField(verbose_name=_("looked at again from"))

    class Meta:
        verbose_name = _("count of failures")
        verbose_name_plural = _("counts of failures")

    def __str__(self) -> str:
        return f"{self.failures}"
