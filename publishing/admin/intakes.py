"""Who sent how much, and how much room each person has left."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from publishing.causes import size_text
from publishing.models import Intake
from publishing.selectors.quotas import room_of
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin


@admin.register(Intake)
class IntakeAdmin(ReadOnlyAdmin):
    list_display = ["user", "kind", "state", "weight", "started_at", "ended_at"]
    list_filter = ["state", "kind", ("user", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user"]
    date_hierarchy = "started_at"
    search_fields = ["user__username", "asset__original_name"]
    fieldsets = [
        (None, {"fields": ["user", "kind", "state", "weight", "asset", "started_at", "ended_at"]}),
        (_("Quotas of the person, now"), {"fields": ["coming", "day", "stored"]}),
    ]
    readonly_fields = ["weight", "coming", "day", "stored"]

    @admin.display(description=_("size"), ordering="size")
    def weight(self, intake: Intake) -> str:
        return size_text(intake.size)

    @admin.display(description=_("files on their way in"))
    def coming(self, intake: Intake) -> str:
        room = room_of(intake.user)
        return f"{room.coming} / {room.coming_max or NOTHING}"

    @admin.display(description=_("sent in 24 hours"))
    def day(self, intake: Intake) -> str:
        room = room_of(intake.user)
        return _of(room.day, room.day_max)

    @admin.display(description=_("stored"))
    def stored(self, intake: Intake) -> str:
        room = room_of(intake.user)
        return _of(room.stored, room.stored_max)


def _of(used: int, top: int) -> str:
    return f"{size_text(used)} / {size_text(top) if top else NOTHING}"
