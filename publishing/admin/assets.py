"""Files, their copies and subtitles."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from publishing.causes import clock_text, sentence, size_text
from publishing.models import Asset, AssetCopy, AssetKind, AssetStatus, SubtitleTrack, TrackStatus
from publishing.services.ingest import asset_probe_again
from subiteya.lib.admin import ReadOnlyAdmin, ReadOnlyInline, chip, report_each

CHIPS = {AssetStatus.PENDING: "working", AssetStatus.READY: "done", AssetStatus.REFUSED: "attention"}
TRACK_CHIPS = {TrackStatus.PENDING: "working", TrackStatus.READY: "done", TrackStatus.FAILED: "attention"}


class CopyInline(ReadOnlyInline):
    model = AssetCopy
    fields = ["host", "path", "size", "expires_at"]


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "kind", "state", "weight", "lasts", "why", "created_by", "created_at"]
    list_filter = ["kind", "status", "created_by"]
    list_select_related = ["created_by"]
    date_hierarchy = "created_at"
    search_fields = ["original_name", "sha256", "storage_key"]
    inlines = [CopyInline]
    actions = ["check_again"]

    @admin.display(description=_("status"), ordering="status")
    def state(self, asset: Asset) -> SafeString:
        return chip(CHIPS[AssetStatus(asset.status)], asset.get_status_display())

    @admin.display(description=_("size"), ordering="size")
    def weight(self, asset: Asset) -> str:
        return size_text(asset.size)

    @admin.display(description=_("duration"))
    def lasts(self, asset: Asset) -> str:
        return clock_text(asset.duration_ms) if asset.duration_ms else "–"

    @admin.display(description=_("cause"))
    def why(self, asset: Asset) -> str:
        return sentence(asset.refused_code, asset.refused_detail) or "–"

    @admin.action(description=_("Check the file again"), permissions=["view"])
    def check_again(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        report_each(
            request,
            queryset.filter(kind=AssetKind.SOURCE),
            lambda asset: asset_probe_again(asset=asset),
            refused=(),
        )


@admin.register(AssetCopy)
class AssetCopyAdmin(ReadOnlyAdmin):
    list_display = ["asset", "host", "path", "size", "expires_at"]
    list_filter = ["host"]
    list_select_related = ["asset"]
    search_fields = ["asset__sha256", "asset__original_name", "path"]


@admin.register(SubtitleTrack)
class SubtitleTrackAdmin(ReadOnlyAdmin):
    list_display = ["id", "asset", "language", "engine", "state", "lines", "edited", "created_by", "created_at"]
    list_filter = ["status", "engine", "language", "edited"]
    list_select_related = ["asset", "created_by"]
    search_fields = ["script", "asset__original_name"]
    exclude = ["cues"]
    readonly_fields = ["state", "text"]

    @admin.display(description=_("status"), ordering="status")
    def state(self, track: SubtitleTrack) -> SafeString:
        return chip(TRACK_CHIPS[TrackStatus(track.status)], track.get_status_display())

    @admin.display(description=_("lines"))
    def lines(self, track: SubtitleTrack) -> int:
        return len(track.cues)

    @admin.display(description=_("subtitles"))
    def text(self, track: SubtitleTrack) -> SafeString:
        rows = ((clock_text(cue["start_ms"]), clock_text(cue["end_ms"]), cue["text"]) for cue in track.cues)
        return format_html_join("", "<div><code>{} – {}</code> {}</div>", rows)
