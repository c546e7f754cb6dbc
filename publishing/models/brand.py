"""How an account's videos are edited."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount
from publishing.models.asset import Asset


def between(low: float, high: float) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(low), MaxValueValidator(high)]


class Fit(models.TextChoices):
    """How a picture of another shape becomes 9:16."""

    BLUR = "blur", _("Blurred background")
    CROP = "crop", _("Crop to fill")
    PAD = "pad", _("Plain bars")
    KEEP = "keep", _("Keep the shape")


class LogoPosition(models.TextChoices):
    TOP_LEFT = "top_left", _("Top left")
    TOP_RIGHT = "top_right", _("Top right")
    BOTTOM_LEFT = "bottom_left", _("Bottom left")
    BOTTOM_RIGHT = "bottom_right", _("Bottom right")


class SubtitlePosition(models.TextChoices):
    BOTTOM = "bottom", _("Bottom")
    MIDDLE = "middle", _("Middle")
    TOP = "top", _("Top")


class BrandPatternQuerySet(models.QuerySet["BrandPattern"]):
    """Patterns, narrowed to what a person may see or change."""

    def for_user(self, user: Any) -> BrandPatternQuerySet:
        """Those of accounts in the person's charge and those they made; administrators and auditors see all."""
        if user.sees_everything:
            return self
        return self.filter(Exists(_used_by(user)) | Q(created_by=user))

    def editable_by(self, user: Any) -> BrandPatternQuerySet:
        """Of those, the ones that no account of somebody else uses: a change is everybody's who uses it."""
        if user.is_staff:
            return self
        if not user.may_act:
            return self.none()
        foreign = AccountBrand.objects.filter(pattern=OuterRef("pk")).exclude(account__managers=user)
        return self.for_user(user).filter(~Exists(foreign))


def _used_by(user: Any) -> models.QuerySet[AccountBrand]:
    return AccountBrand.objects.filter(pattern=OuterRef("pk"), account__managers=user)


class BrandPattern(models.Model):
    """A named pattern. Nothing is changed by default but the shape; the logo is opt-in (TikTok's guidelines)."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    fit = models.CharField(_("shape"), max_length=8, choices=Fit.choices, default=Fit.BLUR)
    brightness = models.FloatField(_("brightness"), default=0, validators=between(-0.5, 0.5))
    contrast = models.FloatField(_("contrast"), default=1, validators=between(0.5, 2))
    saturation = models.FloatField(_("saturation"), default=1, validators=between(0, 3))
    temperature = models.FloatField(
        _("temperature"), default=0, validators=between(-1, 1), help_text=_("-1 cold, 1 warm")
    )
    logo_enabled = models.BooleanField(
        _("put the logo on"),
        default=False,
        help_text=_("TikTok's guidelines forbid brand marks added by apps; a client's own logo is your decision."),
    )
    logo = models.ForeignKey(
        Asset,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind": "logo"},
        verbose_name=_("logo"),
    )
    logo_position = models.CharField(
        _("logo position"), max_length=12, choices=LogoPosition.choices, default=LogoPosition.TOP_RIGHT
    )
    logo_width_percent = models.PositiveSmallIntegerField(_("logo width, %"), default=18, validators=between(5, 50))
    logo_opacity = models.FloatField(_("logo opacity"), default=0.9, validators=between(0.1, 1))
    loudness_lufs = models.FloatField(
        _("loudness, LUFS"), null=True, blank=True, default=-14, validators=between(-30, -8)
    )
    volume_db = models.FloatField(_("volume, dB"), default=0, validators=between(-30, 12))
    music = models.ForeignKey(
        Asset,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind": "music"},
        verbose_name=_("music"),
    )
    music_volume_db = models.FloatField(_("music volume, dB"), default=-18, validators=between(-40, 0))
    subtitle_size = models.PositiveSmallIntegerField(_("subtitle size"), default=64, validators=between(24, 140))
    subtitle_color = models.CharField(_("subtitle colour"), max_length=7, default="#FFFFFF")
    subtitle_outline_color = models.CharField(_("subtitle outline"), max_length=7, default="#000000")
    subtitle_box = models.BooleanField(_("box behind the subtitles"), default=False)
    subtitle_bold = models.BooleanField(_("bold"), default=True)
    subtitle_uppercase = models.BooleanField(_("capital letters"), default=False)
    subtitle_position = models.CharField(
        _("subtitle position"),
        max_length=8,
        choices=SubtitlePosition.choices,
        default=SubtitlePosition.BOTTOM,
    )
    updated_at = models.DateTimeField(auto_now=True, verbose_name=_("changed"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip

    objects = BrandPatternQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("brand pattern")
        verbose_name_plural = _("brand patterns")

    def __str__(self) -> str:
        return self.name


class AccountBrand(models.Model):
    """Which pattern an account uses; an account without one is edited with the defaults."""

    account = models.OneToOneField(TikTokAccount, models.CASCADE, related_name="brand", verbose_name=_("account"))
    pattern = models.ForeignKey(BrandPattern, models.PROTECT, related_name="accounts", verbose_name=_("brand pattern"))

    class Meta:
        verbose_name = _("account's brand pattern")
        verbose_name_plural = _("accounts' brand patterns")

    def __str__(self) -> str:
        return f"{self.account}: {self.pattern}"
