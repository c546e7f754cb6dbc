"""What TikTok allows a creator."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount


class CreatorLimits(models.Model):
    """TikTok's last answer to creator_info about an account. For forecasts only: before a post TikTok is asked again.

    `max_duration_seconds` is 0 when TikTok named no limit; `privacy_levels` are TikTok's own words.
    """

    account = models.OneToOneField(
        TikTokAccount, models.CASCADE, primary_key=True, related_name="limits", verbose_name=_("account")
    )
    max_duration_seconds = models.PositiveIntegerField(default=0, verbose_name=_("longest video, s"))
    privacy_levels = models.JSONField(default=list, blank=True, verbose_name=_("privacy levels"))
    comment_disabled = models.BooleanField(default=False, verbose_name=_("comments off"))
    duet_disabled = models.BooleanField(default=False, verbose_name=_("duets off"))
    stitch_disabled = models.BooleanField(default=False, verbose_name=_("stitches off"))
    seen_at = models.DateTimeField(verbose_name=_("last seen"))

    class Meta:
        verbose_name = _("creator's limits")
        verbose_name_plural = _("creators' limits")

    def __str__(self) -> str:
        return str(self.account)
