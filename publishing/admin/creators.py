"""What TikTok said last about each creator."""

from __future__ import annotations

from django.contrib import admin

from publishing.models import CreatorLimits
from subiteya.lib.admin import ReadOnlyAdmin


@admin.register(CreatorLimits)
class CreatorLimitsAdmin(ReadOnlyAdmin):
    list_display = ["account", "max_duration_seconds", "privacy_levels", "seen_at"]
    list_select_related = ["account"]
    search_fields = ["account__username"]
