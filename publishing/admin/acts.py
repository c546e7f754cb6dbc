"""What people did to many videos at once, and their saved filters; only to be read."""

from __future__ import annotations

from django.contrib import admin

from publishing.models import Act, ActItem, SavedFilter
from subiteya.lib.admin import ReadOnlyAdmin, ReadOnlyInline


class ActItemInline(ReadOnlyInline):
    model = ActItem
    fields = ["video", "code", "undone_at", "undo_code"]


@admin.register(Act)
class ActAdmin(ReadOnlyAdmin):
    list_display = ["begun_at", "actor", "kind", "done", "refused", "undone_at"]
    list_filter = ["kind"]
    list_select_related = ["actor"]
    date_hierarchy = "begun_at"
    search_fields = ["actor__username", "key"]
    inlines = [ActItemInline]


@admin.register(ActItem)
class ActItemAdmin(ReadOnlyAdmin):
    list_display = ["act", "video", "code", "undone_at", "undo_code"]
    list_select_related = ["act", "video"]
    search_fields = ["video__caption", "code"]


@admin.register(SavedFilter)
class SavedFilterAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "query", "position", "deleted_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username", "query"]
