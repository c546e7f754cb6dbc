"""Stored files: what a CM ingested and what the workers made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
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
        """Own files and those of videos of accounts in the person's charge; administrators and auditors see all."""
        if user.sees_everything:
            return self
        mine = Q(created_by=user) | Q(uploaders=user)
        charge = Q(batches__videos__account__managers=user) | Q(edited_videos__account__managers=user)
        return self.filter(mine | charge).distinct()


class Asset(models.Model):
    """A file in the bucket. `probe` holds `publishing.editing.probe.MediaInfo.to_json()` once ready."""

    kind = models.CharField(max_length=12, choices=AssetKind.choices, verbose_name=_("kind"))
    status = models.CharField(
        max_length=8, choices=AssetStatus.choices, default=AssetStatus.PENDING, verbose_name=_("status")
    )
    storage_key = models.CharField(max_length=255, unique=True, verbose_name=_("storage key"))
    original_name = models.CharField(max_length=255, blank=True, verbose_name=_("original name"))
    sha256 = models.CharField(max_length=64, verbose_name=_("sha256"))
    #: Tells quickly whether the stored bytes are still these (`services.checksums`); NULL in rows from before. SQLite
    #: adds such a column in place; for one with a default it would make the table, and its triggers, anew.
    xxh3 = models.CharField(max_length=32, null=True, blank=True, verbose_name="XXH3-128")  # noqa: DJ001
    size = models.PositiveBigIntegerField(verbose_name=_("size, bytes"))
    probe = models.JSONField(default=dict, blank=True, verbose_name=_("what it is"))
    probe_attempts = models.PositiveSmallIntegerField(default=0, verbose_name=_("checks"))
    belled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last rung"))
    refused_code = models.CharField(max_length=48, blank=True, verbose_name=_("cause code"))
    refused_detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )
    uploaders = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="ingested", blank=True, verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))

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

    @property
    def measures(self) -> dict[str, Any]:
        """What causes quote of the file: size in bytes, duration_ms; of its picture width, height, fps, codec."""
        picture = self.probe.get("video", {})
        shown = {"width": "display_width", "height": "display_height", "fps": "fps", "codec": "codec"}
        return {"size": self.size, "duration_ms": self.duration_ms} | {
            name: picture[key] for name, key in shown.items() if key in picture
        }

    @property
    def bucket_path(self) -> Path | None:
        """The stored file itself, when the bucket is a folder that this host sees; else None."""
        try:
            return Path(default_storage.path(self.storage_key))
        except NotImplementedError:
            return None


class TrackStatus(models.TextChoices):
    PENDING = "pending", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class SubtitleTrack(models.Model):
    """The cues of one source: `[{"start_ms": int, "end_ms": int, "text": str}, …]`, edited by a person or not.

    Made by an engine from the sound and `script` (what is said, pasted by the CM), or read from a file.
    """

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="tracks", verbose_name=_("file"))
    language = models.CharField(max_length=8, default="es", verbose_name=_("language"))
    script = models.TextField(blank=True, verbose_name=_("script"))
    engine = models.CharField(max_length=32, blank=True, verbose_name=_("engine"))
    status = models.CharField(
        max_length=8, choices=TrackStatus.choices, default=TrackStatus.PENDING, verbose_name=_("status")
    )
    attempts = models.PositiveSmallIntegerField(default=0, verbose_name=_("attempts"))
    belled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last rung"))
    reason_code = models.CharField(max_length=48, blank=True, verbose_name=_("cause code"))
    reason_detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    cues = models.JSONField(default=list, blank=True, verbose_name=_("cues"))
    edited = models.BooleanField(default=False, verbose_name=_("edited"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))

    class Meta:
        verbose_name = _("subtitle track")
        verbose_name_plural = _("subtitle tracks")
        constraints = [models.CheckConstraint(condition=Q(status__in=TrackStatus.values), name="track_status_known")]

    def __str__(self) -> str:
        return f"{self.language} {self.engine} {self.pk}"
