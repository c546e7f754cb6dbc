"""Who gets subtitles when the system chooses."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount
from publishing.models.video import Video


class SubtitleDraw(models.Model):
    """The `position`-th draw of an account: decided once, at submission, and kept."""

    account = models.ForeignKey(TikTokAccount, models.CASCADE, related_name="subtitle_draws", verbose_name=_("account"))
    position = models.PositiveIntegerField(verbose_name=_("position"))
    video = models.OneToOneField(Video, models.CASCADE, related_name="subtitle_draw", verbose_name=_("video"))
    variant = models.CharField(
        max_length=8, choices=[("auto", _("Automatic subtitles")), ("none", _("Without subtitles"))],
        verbose_name=_("subtitles"),
    )  # fmt: skip
    at = models.DateTimeField(auto_now_add=True, verbose_name=_("when"))

    class Meta:
        ordering = ["account", "position"]
        verbose_name = _("subtitle draw")
        verbose_name_plural = _("subtitle draws")
        constraints = [
            models.UniqueConstraint(fields=["account", "position"], name="subtitle_draw_once_per_position"),
            models.CheckConstraint(condition=Q(variant__in=["auto", "none"]), name="subtitle_draw_variant_known"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.position}: {self.variant}"
