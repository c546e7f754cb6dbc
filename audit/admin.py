"""The audit record in the admin, to read."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEntry, AuditHead
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin, code, json_block


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_name", "action", "thing", "address", "trace", "sequence"]
    list_filter = ["action", ("actor", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "at"
    search_fields = ["actor_name", "object_text", "=object_id", "=address", "=trace_id"]
    search_help_text = _("A name, an object or its number, an address, a trace id")
    fields = [
        "sequence", "at", "actor_name", "action", "object_type", "object_id", "object_text", "what", "address", "agent",
        "trace", "key_id", "fingerprint", "before",
    ]  # fmt: skip
    readonly_fields = ["what", "trace", "fingerprint", "before"]

    @admin.display(description=_("object"), ordering="object_text")
    def thing(self, entry: AuditEntry) -> str:
        return entry.object_text or NOTHING

    @admin.display(description=_("details"))
    def what(self, entry: AuditEntry) -> SafeString | str:
        return json_block(entry.details)

    @admin.display(description=_("trace"))
    def trace(self, entry: AuditEntry) -> SafeString | str:
        if not entry.trace_id:
            return NOTHING
        where = reverse("admin:monitoring_span_changelist", query={"q": entry.trace_id})
        return format_html('<a href="{}"><code>{}</code></a>', where, entry.trace_id)

    @admin.display(description=_("hash"))
    def fingerprint(self, entry: AuditEntry) -> SafeString | str:
        return code(entry.hash)

    @admin.display(description=_("hash before"))
    def before(self, entry: AuditEntry) -> SafeString | str:
        return code(entry.previous_hash)


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    list_display = ["sequence", "hash"]
    search_fields = ["hash"]
