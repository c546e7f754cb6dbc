"""Stored files: what a CM ingested and what the workers made of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AssetKind(models.TextChoices):
    SOURCE = "source", _("Source")
    EDITED = "edited", _("Edited")
    SUBTITLES = "subtitles", _("Subtitle file")
    LOGO = "logo", _("Logo")
    MUSIC = "music", _("Music")


class AssetStatus(models.TextChoices):
    """A source is `pending` until a worker has probed it."""

    PENDING = "pending", _("Being checked")
    READY = "ready", _("Ready")
    REFUSED = "refused", _("Refused")


class AssetQuerySet(models.QuerySet["Asset"]):
    """Files, narrowed to what a person may see."""

    def for_user(self, user: Any) -> AssetQuerySet:
        """Own files and those of videos of accounts in the person's charge; administrators see all."""
        if user.is_staff:
            return self
        mine = Q(created_by=user) | Q(uploaders=user)
        charge = Q(batches__videos__account__managers=user) | Q(edited_videos__account__managers=user)
        return self.filter(mine | charge).distinct()


class Asset(models.Model):
    """A file in the bucket. `probe` holds `publishing.editing.probe.MediaInfo.to_json()` once ready."""

    kind = models.CharField(max_length=12, choices=AssetKind.choices)
    status = models.CharField(max_length=8, choices=AssetStatus.choices, default=AssetStatus.PENDING)
    storage_key = models.CharField(max_length=255, unique=True)
    original_name = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    probe = models.JSONField(default=dict, blank=True)
    probe_attempts = models.PositiveSmallIntegerField(default=0)
    belled_at = models.DateTimeField(null=True, blank=True)
    refused_code = models.CharField(max_length=48, blank=True)
    refused_detail = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    uploaders = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="ingested", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [
            # Identical content is stored once: ingest relies on this to deduplicate under concurrency.
            models.UniqueConstraint(fields=["kind", "sha256"], name="asset_content_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="asset_size_positive"),
            models.CheckConstraint(condition=Q(kind__in=AssetKind.values), name="asset_kind_known"),
            models.CheckConstraint(condition=Q(status__in=AssetStatus.values), name="asset_status_known"),
        ]

    def __str__(self) -> str:
        return self.original_name or self.storage_key

    @property
    def duration_ms(self) -> int:
        return int(self.probe.get("duration_ms", 0))


class AssetCopy(models.Model):
    """A copy of an asset on a worker's own disk, so that a retry there downloads nothing."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="copies")
    host = models.CharField(max_length=128)
    path = models.CharField(max_length=500)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("working copy")
        verbose_name_plural = _("working copies")
        constraints = [models.UniqueConstraint(fields=["asset", "host"], name="asset_copy_once_per_host")]

    def __str__(self) -> str:
        return f"{self.host}:{self.path}"


class TrackStatus(models.TextChoices):
    PENDING = "pending", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class SubtitleTrack(models.Model):
    """The cues of one source: `[{"start_ms": int, "end_ms": int, "text": str}, …]`, edited by a person or not.

    Made by an engine from the sound and `script` (what is said, pasted by the CM), or read from a file.
    """

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="tracks")
    language = models.CharField(max_length=8, default="es")
    script = models.TextField(blank=True)
    engine = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=8, choices=TrackStatus.choices, default=TrackStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    belled_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=48, blank=True)
    reason_detail = models.JSONField(default=dict, blank=True)
    cues = models.JSONField(default=list, blank=True)
    edited = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("subtitle track")
        verbose_name_plural = _("subtitle tracks")
        constraints = [models.CheckConstraint(condition=Q(status__in=TrackStatus.values), name="track_status_known")]

    def __str__(self) -> str:
        return f"{self.language} {self.engine} {self.pk}"
