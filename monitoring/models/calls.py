"""Calls that TikTok refused or did not answer."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount


class TikTokFailure(models.Model):
    """One failed call; append-only. The counter `tiktok_api_failures_total` has as many steps as rows were written.

    `code` and `log_id` are TikTok's own; `reason` is the class of error that the metric is labelled with.
    """

    at = models.DateTimeField(db_index=True, verbose_name=_("when"))
    endpoint = models.CharField(max_length=32, verbose_name=_("call"))
    reason = models.CharField(max_length=32, verbose_name=_("class"))
    code = models.CharField(max_length=64, verbose_name=_("cause code"))
    status = models.PositiveSmallIntegerField(default=0, verbose_name=_("HTTP status"))
    seconds = models.FloatField(verbose_name=_("seconds"))
    account = models.ForeignKey(
        TikTokAccount, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    log_id = models.CharField(max_length=64, blank=True, verbose_name=_("log_id"))
    trace_id = models.CharField(max_length=32, blank=True, db_index=True, verbose_name=_("trace"))

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("failed call to TikTok")
        verbose_name_plural = _("failed calls to TikTok")
        indexes = [models.Index(fields=["account", "at"], name="tiktok_failure_account")]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.code}"
