"""Notices in the admin: what was told, to whom, and which messages did not arrive."""

from __future__ import annotations

from django.contrib import admin

from notices.models import Notice, NoticeCopy, NoticeMessage, NoticePreferences
from subiteya.lib.admin import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "account", "video_id", "code"]
    list_filter = ["kind"]
    list_select_related = ["account"]
    date_hierarchy = "at"
    search_fields = ["account__username", "code"]


@admin.register(NoticeCopy)
class NoticeCopyAdmin(ReadOnlyAdmin):
    list_display = ["notice", "user", "shown", "read_at", "mail_at", "mail"]
    list_filter = ["shown"]
    list_select_related = ["notice__account", "user", "mail"]
    search_fields = ["user__username", "notice__account__username", "notice__code"]


@admin.register(NoticeMessage)
class NoticeMessageAdmin(ReadOnlyAdmin):
    list_display = ["made_at", "channel", "kind", "user", "attempts", "sent_at", "error"]
    list_filter = ["channel", "kind"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "error"]


@admin.register(NoticePreferences)
class NoticePreferencesAdmin(ReadOnlyAdmin):
    list_display = ["user", "quiet", "quiet_from", "quiet_to", "summary", "summary_at", "time_zone"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
