"""What an administrator changes about people and who is in charge, on the admin's own forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from audit.catalogue import Action
from audit.services.recording import audit_record

#: What a person may do hangs on these, beside the role itself, which has a service that records it.
ROLE_FIELDS = dict.fromkeys(("is_active", "groups", "user_permissions"), Action.ROLE_CHANGED)


class AuditedAdmin:
    """A ModelAdmin before which this stands records its forms. An act of None is not recorded."""

    audit_created: Action | None = None
    audit_changed: Action | None = None
    audit_deleted: Action | None = None
    #: Fields whose values are recorded, before and after, as an act of their own.
    audit_fields: Mapping[str, Action] = {}
    #: The field of an inline's rows that names what was added or taken away.
    audit_inline = ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        moved = [name for name in self.audit_fields if name in form.changed_data]
        for action in dict.fromkeys(self.audit_fields[name] for name in moved):
            names = [name for name in moved if self.audit_fields[name] == action]
            before = {name: _words(form.initial.get(name), form.fields[name]) for name in names}
            after = {name: _words(form.cleaned_data[name], form.fields[name]) for name in names}
            audit_record(action=action, on=obj, details={"before": before, "after": after})

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)  # type: ignore[misc]
        added = [str(getattr(row, self.audit_inline)) for row in formset.new_objects if self.audit_inline]
        removed = [str(getattr(row, self.audit_inline)) for row in formset.deleted_objects if self.audit_inline]
        if added or removed:
            details = {"added": added, "removed": removed}
            audit_record(action=Action.CHARGE_CHANGED, on=form.instance, details=details)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(self.audit_created, obj, message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if isinstance(message, list):  # else the act has a service, which records it
            self._record(self.audit_changed, obj, message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        for obj in queryset:
            self._record(self.audit_deleted, obj, [])
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def _record(self, action: Action | None, obj: Any, message: list[Any]) -> None:
        """The admin's message names the fields that changed, never their values."""
        if action:
            audit_record(action=action, on=obj, details={"changes": message} if message else {})


def _words(value: Any, field: Any) -> Any:
    """A field's value as it was read or typed; rows by their names."""
    if not isinstance(field, ModelMultipleChoiceField) or field.queryset is None:
        return value
    keys = [getattr(item, "pk", item) for item in value or []]
    return sorted(str(row) for row in field.queryset.filter(pk__in=keys))
