"""The processes that are alive."""

from __future__ import annotations

from django.contrib import admin

from publishing.models import WorkerHeartbeat
from subiteya.lib.admin import ReadOnlyAdmin


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "host", "started_at", "seen_at"]
    list_filter = ["kind", "host"]
    search_fields = ["name", "host"]
