"""Files, what hosts keep of them, and subtitles."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from publishing.admin.words import asset_chip, track_chip
from publishing.causes import clock_text, sentence, size_text
from publishing.models import Asset, AssetKind, SubtitleTrack, WorkingAsset, WorkingKind
from publishing.services.ingest import asset_probe_again
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin, code, json_block
from subiteya.lib.admin_actions import Refused, report_each


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "kind", "state", "weight", "lasts", "created_by", "created_at"]
    list_filter = ["kind", "status", ("created_by", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["created_by"]
    date_hierarchy = "created_at"
    search_fields = ["original_name", "sha256", "storage_key"]
    actions = ["check_again"]
    fieldsets = [
        (None, {"fields": ["original_name", "kind", "state", "weight", "lasts", "created_by", "created_at"]}),
        (_("Check"), {"fields": ["contents", "probe_attempts", "belled_at"]}),
        (_("Stored"), {"fields": ["storage_key", "digest", "copies", "uploaders"]}),
    ]
    readonly_fields = ["state", "weight", "lasts", "contents", "digest", "copies"]

    @admin.display(description=_("status"), ordering="status")
    def state(self, asset: Asset) -> SafeString:
        why = sentence(asset.refused_code, asset.refused_detail)
        return format_html('{}<p class="why">{}</p>', asset_chip(asset.status), why)

    @admin.display(description=_("size"), ordering="size")
    def weight(self, asset: Asset) -> str:
        return size_text(asset.size)

    @admin.display(description=_("duration"))
    def lasts(self, asset: Asset) -> str:
        return clock_text(asset.duration_ms) if asset.duration_ms else NOTHING

    @admin.display(description=_("what is in it"))
    def contents(self, asset: Asset) -> SafeString | str:
        return json_block(asset.probe or asset.refused_detail)

    @admin.display(description="sha256")
    def digest(self, asset: Asset) -> SafeString | str:
        return code(asset.sha256)

    @admin.display(description=_("working copies"))
    def copies(self, asset: Asset) -> str:
        kept = WorkingAsset.objects.filter(kind=WorkingKind.SOURCE, key=asset.sha256).order_by("host")
        return ", ".join(kept.values_list("host", flat=True)) or NOTHING

    @admin.action(description=_("Check the file again"), permissions=["act"])
    def check_again(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        report_each(request, queryset, _check, done=_("Being checked again"))


def _check(asset: Asset) -> None:
    if asset.kind != AssetKind.SOURCE:
        raise Refused(gettext("only sources are checked."))
    asset_probe_again(asset=asset)


@admin.register(WorkingAsset)
class WorkingAssetAdmin(ReadOnlyAdmin):
    list_display = ["key_start", "kind", "host", "weight", "used_at", "expires_at"]
    list_filter = ["kind", "host"]
    date_hierarchy = "created_at"
    search_fields = ["key", "sha256", "path"]
    search_help_text = _("Edit's key, sha256 or path")
    fields = ["kind", "name", "host", "path", "digest", "weight", "created_at", "used_at", "expires_at"]
    readonly_fields = ["name", "digest", "weight"]

    @admin.display(description=_("key"), ordering="key")
    def key_start(self, kept: WorkingAsset) -> str:
        return kept.key[:12]

    @admin.display(description=_("key"))
    def name(self, kept: WorkingAsset) -> SafeString | str:
        return code(kept.key)

    @admin.display(description="sha256")
    def digest(self, kept: WorkingAsset) -> SafeString | str:
        return code(kept.sha256)

    @admin.display(description=_("size"), ordering="size")
    def weight(self, kept: WorkingAsset) -> str:
        return size_text(kept.size)


@admin.register(SubtitleTrack)
class SubtitleTrackAdmin(ReadOnlyAdmin):
    """Read here, corrected in New: a batch may be using these very cues."""

    list_display = ["id", "asset", "language", "engine", "state", "lines", "edited", "created_by", "created_at"]
    list_filter = ["status", "engine", "language", "edited"]
    list_select_related = ["asset", "created_by"]
    date_hierarchy = "created_at"
    search_fields = ["script", "asset__original_name"]
    fieldsets = [
        (None, {"fields": ["asset", "language", "engine", "state", "edited", "created_by", "created_at"]}),
        (_("Subtitles"), {"fields": ["text", "script"]}),
    ]
    readonly_fields = ["state", "text"]

    @admin.display(description=_("status"), ordering="status")
    def state(self, track: SubtitleTrack) -> SafeString:
        why = sentence(track.reason_code, track.reason_detail)
        return format_html('{}<p class="why">{}</p>', track_chip(track.status), why)

    @admin.display(description=_("lines"))
    def lines(self, track: SubtitleTrack) -> int:
        return len(track.cues)

    @admin.display(description=_("lines"))
    def text(self, track: SubtitleTrack) -> SafeString | str:
        rows = format_html_join("", "<tr><td><code>{} – {}</code></td><td>{}</td></tr>", _cues(track))
        return format_html('<table class="cues"><tbody>{}</tbody></table>', rows) if rows else NOTHING


def _cues(track: SubtitleTrack) -> list[tuple[Any, ...]]:
    return [(clock_text(cue["start_ms"]), clock_text(cue["end_ms"]), cue["text"]) for cue in track.cues]
