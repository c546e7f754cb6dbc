"""What the admin of every app shares: rows that may only be read, status chips, and actions that report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext


def chip(family: str, label: object) -> SafeString:
    """A status in the colour of its family; the word always with it."""
    return format_html('<span class="chip chip-{}">{}</span>', family, label)


class ReadOnly:
    """Editing such a row by hand would corrupt the product: it can be looked at, and acted on by services."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """A page that shows every field; its actions need the permission to view."""

    actions_on_bottom = False
    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Rows of another table beside the one that is shown."""

    extra = 0
    can_delete = False
    show_change_link = True


def report_each(
    request: HttpRequest, rows: Iterable[Model], act: Callable[[Any], object], *, refused: tuple[type[Exception], ...]
) -> None:
    """Do `act` to each row by its service and tell the person how many went through, and why others did not."""
    done, reasons = 0, list[str]()
    for row in rows:
        try:
            act(row)
            done += 1
        except refused as error:
            reasons.append(f"{row}: {error}")
    if done:
        text = ngettext("%(count)s done.", "%(count)s done.", done) % {"count": done}
        messages.success(request, text)
    for reason in reasons[:10]:
        messages.warning(request, reason)
    if len(reasons) > 10:
        messages.warning(request, gettext("And %(count)s more.") % {"count": len(reasons) - 10})
