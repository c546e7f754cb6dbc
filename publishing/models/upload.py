"""The conversation with TikTok about one post."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from publishing.models.asset import Asset
from publishing.models.job import Job
from publishing.models.video import Video
from publishing.states import UPLOAD_LIVE, UploadState
from subiteya.lib.crypto import EncryptedTextField


class UploadSession(models.Model):
    """One `publish_id` with its upload address, plan and offset, written before any byte is sent."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="uploads", verbose_name=_("video"))
    account = models.ForeignKey(
        "accounts.TikTokAccount", models.PROTECT, related_name="uploads", verbose_name=_("account")
    )
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="uploads", verbose_name=_("job"))
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="+", verbose_name=_("file"))
    state = models.CharField(
        max_length=12, choices=UploadState.choices, default=UploadState.INIT_SENT, verbose_name=_("state")
    )
    publish_id = models.CharField(max_length=64, blank=True, verbose_name=_("publish_id"))
    upload_url = EncryptedTextField(blank=True, bound_to="video_id", verbose_name=_("upload address"))
    url_expires_at = models.DateTimeField(null=True, blank=True, verbose_name=_("address expires"))
    video_size = models.PositiveBigIntegerField(verbose_name=_("size, bytes"))
    chunk_size = models.PositiveBigIntegerField(verbose_name=_("part, bytes"))
    total_chunk_count = models.PositiveIntegerField(verbose_name=_("parts"))
    uploaded_bytes = models.PositiveBigIntegerField(default=0, verbose_name=_("uploaded, bytes"))
    source_sha256 = models.CharField(max_length=64, verbose_name=_("sha256"))
    tiktok_status = models.CharField(max_length=32, blank=True, verbose_name=_("TikTok's status"))
    fail_reason = models.CharField(max_length=128, blank=True, verbose_name=_("TikTok's reason"))
    log_id = models.CharField(max_length=64, blank=True, verbose_name=_("log_id"))
    init_at = models.DateTimeField(verbose_name=_("started"))
    sent_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last part sent"))
    settled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("settled"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("upload session")
        verbose_name_plural = _("upload sessions")
        constraints = [
            # "Nothing goes out twice": at most one publish_id of a video could still complete.
            models.UniqueConstraint(
                fields=["video"], condition=Q(state__in=sorted(UPLOAD_LIVE)), name="upload_one_live_per_video"
            ),
            models.UniqueConstraint(fields=["publish_id"], condition=~Q(publish_id=""), name="upload_publish_id_once"),
            models.CheckConstraint(condition=Q(state__in=UploadState.values), name="upload_state_known"),
            models.CheckConstraint(
                condition=Q(video_size__gt=0, chunk_size__gt=0, total_chunk_count__gt=0),
                name="upload_plan_positive",
            ),
            models.CheckConstraint(condition=Q(uploaded_bytes__lte=F("video_size")), name="upload_offset_in_file"),
            models.CheckConstraint(
                condition=Q(state__in=[UploadState.INIT_SENT, UploadState.DEAD, UploadState.FAILED])
                | ~Q(publish_id=""),
                name="upload_has_publish_id",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "init_at"], name="upload_account_init"),
            # The monitor: how long the uploads and verdicts of the last day took.
            models.Index(fields=["sent_at"], name="upload_sent", condition=Q(sent_at__isnull=False)),
            models.Index(fields=["settled_at"], name="upload_settled", condition=Q(settled_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.publish_id or f"{self._meta.verbose_name} {self.pk}".capitalize()


class WebhookReceipt(models.Model):
    """A webhook that was heard; its hash makes the second delivery a no-op. A hint only: status decides."""

    body_sha256 = models.CharField(max_length=64, unique=True, verbose_name=_("sha256"))
    event = models.CharField(max_length=64, verbose_name=_("event"))
    publish_id = models.CharField(max_length=64, blank=True, verbose_name=_("publish_id"))
    open_id = models.CharField(max_length=128, blank=True, verbose_name=_("open_id"))
    received_at = models.DateTimeField(verbose_name=_("received"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.event
