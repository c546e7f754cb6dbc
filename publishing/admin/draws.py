"""What the system chose when it was left to it."""

from __future__ import annotations

from django.contrib import admin

from publishing.models import SubtitleDraw
from subiteya.lib.admin import ReadOnlyAdmin


@admin.register(SubtitleDraw)
class SubtitleDrawAdmin(ReadOnlyAdmin):
    list_display = ["account", "position", "variant", "video_id", "at"]
    list_select_related = ["account"]
    search_fields = ["account__username"]
