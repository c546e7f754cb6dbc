"""What the admin of every app shares: status chips, values as people read them, rows that may only be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext

#: What stands where there is nothing to say.
NOTHING = "–"


def chip(family: str, icon: str, label: object) -> SafeString:
    """A status in the colour of its family, with an icon of the sprite; the word is always with it."""
    return format_html(
        '<span class="chip chip--{}"><svg class="icon" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg><span>{}</span></span>',
        family, static("img/sprite.svg"), icon, label,
    )  # fmt: skip


def code(text: str) -> SafeString | str:
    """An identifier that people copy."""
    return format_html("<code>{}</code>", text) if text else NOTHING


def block(text: str) -> SafeString | str:
    """Text whose lines matter, such as a traceback."""
    return format_html("<pre>{}</pre>", text) if text else NOTHING


def json_block(value: object) -> SafeString | str:
    """A JSON value, readable."""
    return block(json.dumps(value, ensure_ascii=False, indent=2) if value else "")


def time_left(until: datetime | None) -> str:
    """How long something is still valid, in words."""
    if until is None:
        return NOTHING
    return gettext("expired") if until <= timezone.now() else timeuntil(until, depth=1)


class ReadOnly:
    """Editing such a row by hand would corrupt the product: it can be looked at, and acted on by services."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Actions need what an edit would need, although no field can be edited."""
        meta = self.opts  # type: ignore[attr-defined]
        return request.user.has_perm(f"{meta.app_label}.change_{meta.model_name}")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to `most` rows and has pages of no more: who wants older ones filters."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        return min(self.most, self._counted)

    @property
    def is_cut(self) -> bool:
        """Are there more? The page says so."""
        return self._counted > self.most

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: self.most + 1].count())


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """A page that shows every field; its actions ask for `permissions=["act"]`."""

    list_per_page = 50
    paginator = BoundedPaginator
    #: With an empty `list_select_related`, where there are many rows: of a join and an order SQLite sorts all of them.
    list_prefetch_related: Sequence[str] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch_related)

    show_full_result_count = False


class LatestFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The first `limit` rows in the inline's order: a history grows for ever."""

    limit = 50

    def get_queryset(self) -> QuerySet[Any]:
        if not hasattr(self, "_latest"):
            self._latest = super().get_queryset()[: self.limit]
        return self._latest


class ReadOnlyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Rows of another table beside the one that is shown. `fields` names them all."""

    template = "admin/edit_inline/read_only.html"
    formset = LatestFormSet
    extra = 0
    can_delete = False
    show_change_link = True
    select_related: Sequence[str] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.select_related)
