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

    video = models.ForeignKey(Video, models.CASCADE, related_name="uploads")
    account = models.ForeignKey("accounts.TikTokAccount", models.PROTECT, related_name="uploads")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="uploads")
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=UploadState.choices, default=UploadState.INIT_SENT)
    publish_id = models.CharField(max_length=64, blank=True)
    upload_url = EncryptedTextField(blank=True)
    url_expires_at = models.DateTimeField(null=True, blank=True)
    video_size = models.PositiveBigIntegerField()
    chunk_size = models.PositiveBigIntegerField()
    total_chunk_count = models.PositiveIntegerField()
    uploaded_bytes = models.PositiveBigIntegerField(default=0)
    source_sha256 = models.CharField(max_length=64)
    tiktok_status = models.CharField(max_length=32, blank=True)
    fail_reason = models.CharField(max_length=128, blank=True)
    log_id = models.CharField(max_length=64, blank=True)
    init_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

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
        indexes = [models.Index(fields=["account", "init_at"], name="upload_account_init")]

    def __str__(self) -> str:
        return self.publish_id or f"{_('Upload session')} {self.pk}"


class WebhookReceipt(models.Model):
    """A webhook that was heard; its hash makes the second delivery a no-op. A hint only: status decides."""

    body_sha256 = models.CharField(max_length=64, unique=True)
    event = models.CharField(max_length=64)
    publish_id = models.CharField(max_length=64, blank=True)
    open_id = models.CharField(max_length=128, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.event
