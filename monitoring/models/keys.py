"""Bearer tokens for programs: Grafana, Metabase, Prometheus, Alertmanager."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class KeyScope(models.TextChoices):
    MONITOR = "monitor", _("read the monitor's JSON")
    METRICS = "metrics", _("scrape /metrics")
    ALERTS = "alerts", _("deliver Alertmanager's alerts")


class ApiKey(models.Model):
    """A program's key. Only its SHA-256 is kept: the key itself is shown once, when it is made.

    The keys are 256 random bits, so a plain hash is enough: there is nothing to guess.
    """

    name = models.CharField(max_length=80, verbose_name=_("name"), help_text=_("who uses it"))
    scope = models.CharField(max_length=8, choices=KeyScope.choices, verbose_name=pgettext_lazy("a key", "may"))
    prefix = models.CharField(max_length=12, verbose_name=_("begins with"))
    key_sha256 = models.CharField(max_length=64, unique=True, verbose_name=_("sha256"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    last_used_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last used"))
    revoked_at = models.DateTimeField(null=True, blank=True, verbose_name=_("revoked"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
