"""The conversations with TikTok: upload sessions and webhooks. An upload address is never shown: it carries a token."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from publishing.admin.words import upload_chip
from publishing.causes import size_text
from publishing.models import UploadSession, WebhookReceipt
from subiteya.lib.admin import ReadOnlyAdmin, ReadOnlyInline, code, time_left


def sent_text(session: UploadSession) -> str:
    """600 kB / 2 MB (30 %)."""
    share = 100 * session.uploaded_bytes // session.video_size
    return f"{size_text(session.uploaded_bytes)} / {size_text(session.video_size)} ({share} %)"


class UploadInline(ReadOnlyInline):
    model = UploadSession
    fk_name = "video"
    fields = ["init_at", "condition", "sent", "total_chunk_count", "publish_id", "tiktok_status", "log_id"]

    @admin.display(description=_("status"))
    def condition(self, session: UploadSession) -> SafeString:
        return upload_chip(session.state)

    @admin.display(description=_("sent"))
    def sent(self, session: UploadSession) -> str:
        return sent_text(session)


@admin.register(UploadSession)
class UploadSessionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "account", "video", "condition", "sent", "tiktok_status", "fail_reason", "init_at"]
    list_filter = ["state", "account", "tiktok_status"]
    list_select_related = ["account", "video"]
    date_hierarchy = "init_at"
    search_fields = ["publish_id", "log_id", "account__username"]
    fieldsets = [
        (None, {"fields": ["video", "account", "job", "condition", "tiktok_status", "fail_reason"]}),
        (
            _("Parts"),
            {"fields": ["sent", "chunk_size", "total_chunk_count", "address_left", "asset", "source_sha256"]},
        ),
        ("TikTok", {"fields": ["publish_id", "log"]}),
        (_("Times"), {"fields": ["init_at", "sent_at", "settled_at"]}),
    ]
    readonly_fields = ["condition", "sent", "address_left", "log"]

    @admin.display(description=_("status"), ordering="state")
    def condition(self, session: UploadSession) -> SafeString:
        return upload_chip(session.state)

    @admin.display(description=_("sent"), ordering="uploaded_bytes")
    def sent(self, session: UploadSession) -> str:
        return sent_text(session)

    @admin.display(description=_("upload address, left"))
    def address_left(self, session: UploadSession) -> str:
        return time_left(session.url_expires_at)

    @admin.display(description="log_id")
    def log(self, session: UploadSession) -> SafeString | str:
        return code(session.log_id)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return not lookup.startswith("upload_url") and super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]


@admin.register(WebhookReceipt)
class WebhookReceiptAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "event", "publish_id", "open_id"]
    list_filter = ["event"]
    date_hierarchy = "received_at"
    search_fields = ["publish_id", "open_id"]
