"""One source for one account: the unit of truth."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount, validate_time_zone
from publishing.models.asset import Asset
from publishing.models.batch import Batch
from publishing.states import FAMILY_OF, Family, PostMode, PrivacyLevel, SubtitleChoice, VideoStatus
from subiteya.lib.tracing import current_trace_id


class VideoQuerySet(models.QuerySet["Video"]):
    """Videos, narrowed to what a person may see."""

    def for_user(self, user: Any) -> VideoQuerySet:
        """Administrators see all; a CM sees the videos of accounts in their charge."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_staff else self.filter(account__managers=user)


class Video(models.Model):
    """Its status changes only through `publishing.services.videos.video_move`."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="videos")
    account = models.ForeignKey(TikTokAccount, models.PROTECT, related_name="videos")
    status = models.CharField(max_length=20, choices=VideoStatus.choices, default=VideoStatus.PENDING)
    mode = models.CharField(max_length=8, choices=PostMode.choices, default=PostMode.DIRECT)
    caption = models.TextField(blank=True)
    privacy_level = models.CharField(max_length=24, choices=PrivacyLevel.choices, blank=True)
    disable_comment = models.BooleanField(default=True)
    disable_duet = models.BooleanField(default=True)
    disable_stitch = models.BooleanField(default=True)
    brand_content_toggle = models.BooleanField(default=False)
    brand_organic_toggle = models.BooleanField(default=False)
    is_aigc = models.BooleanField(default=False)
    cover_timestamp_ms = models.PositiveIntegerField(default=0)
    subtitle_variant = models.CharField(max_length=8, choices=SubtitleChoice.choices, default=SubtitleChoice.NONE)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])
    edited = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="edited_videos")
    reason_code = models.CharField(max_length=64, blank=True)
    reason_detail = models.JSONField(default=dict, blank=True)
    resume_at = models.DateTimeField(null=True, blank=True)
    tiktok_status = models.CharField(max_length=32, blank=True)
    post_id = models.CharField(max_length=64, blank=True)
    post_url = models.URLField(max_length=500, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    trace_id = models.CharField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VideoQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        constraints = [
            models.UniqueConstraint(fields=["batch", "account"], name="video_once_per_batch_and_account"),
            models.CheckConstraint(condition=Q(status__in=VideoStatus.values), name="video_status_known"),
            models.CheckConstraint(condition=Q(mode__in=PostMode.values), name="video_mode_known"),
            models.CheckConstraint(
                condition=Q(subtitle_variant__in=SubtitleChoice.values), name="video_subtitle_variant_known"
            ),
            # Direct posts carry the privacy that a person chose; there is no default.
            models.CheckConstraint(
                condition=Q(mode=PostMode.INBOX) | Q(privacy_level__in=PrivacyLevel.values),
                name="video_privacy_chosen",
            ),
            models.CheckConstraint(
                condition=~Q(status=VideoStatus.POSTED) | Q(posted_at__isnull=False),
                name="video_posted_has_time",
            ),
        ]
        indexes = [
            # The list: newest first, per account and status.
            models.Index(F("account"), F("id").desc(), name="video_account_newest"),
            models.Index(F("status"), F("id").desc(), name="video_status_newest"),
            # The scheduler asks every second what is due.
            models.Index(
                fields=["scheduled_at"],
                name="video_due",
                condition=Q(status__in=["scheduled", "deferred", "held"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{_('Video')} {self.pk}"

    @property
    def family(self) -> Family:
        return FAMILY_OF[VideoStatus(self.status)]


class VideoEvent(models.Model):
    """A change of a video's status, or a note beside it (`old == new`); append-only."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="events")
    old = models.CharField(max_length=20, blank=True)
    new = models.CharField(max_length=20)
    code = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    at = models.DateTimeField()
    trace_id = models.CharField(max_length=32, default=current_trace_id, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("video event")
        verbose_name_plural = _("video events")
        constraints = [models.CheckConstraint(condition=Q(new__in=VideoStatus.values), name="video_event_status_known")]
        indexes = [models.Index(fields=["video", "at"], name="video_event_timeline")]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
