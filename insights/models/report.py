"""Reports over so many rows that nobody should wait for them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeptReport(models.Model):
    """What a report of one filter said, for exactly the accounts in `asked`: whoever sees others asks for another one.

    The scheduler makes it, and makes it anew while people ask for it.
    """

    key = models.CharField(max_length=64, unique=True, help_text=_("of what was asked"), verbose_name=_("key"))
    asked = models.JSONField(verbose_name=_("what was asked"))
    asked_at = models.DateTimeField(verbose_name=_("asked"))
    document = models.JSONField(null=True, blank=True, verbose_name=_("what it says"))
    made_at = models.DateTimeField(null=True, blank=True, verbose_name=_("made"))
    seconds = models.FloatField(default=0.0, help_text=_("that it took"), verbose_name=_("seconds"))

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = _("kept report")
        verbose_name_plural = _("kept reports")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()
