"""System checks: no row needs a key that is not there any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from accounts.services.keys import FieldUse, keys_in_use, lost_keys


@register(Tags.database)
def keys_open_every_row(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """accounts.E001: a key was taken out of FIELD_ENCRYPTION_KEYS while rows need it."""
    uses = keys_in_use() if databases and "default" in databases else []
    hint = (
        "Put the key back, at the end of FIELD_ENCRYPTION_KEYS; `manage.py rotate_keys` moves the rows to the first "
        "key, and then the old one may go. If it is lost: docs/keys.md."
    )
    return [
        Error(f"{_which(name)}: {_where(uses, name)}.", hint=hint, id="accounts.E001")
        for name in sorted(lost_keys(uses))
    ]


def _which(name: str) -> str:
    if not name:
        return "No key in FIELD_ENCRYPTION_KEYS opens what is stored without a key's id"
    return f"FIELD_ENCRYPTION_KEYS lacks the key {name}, which rows still need"


def _where(uses: list[FieldUse], name: str) -> str:
    return ", ".join(f"{use.rows[name]} in {use.field}" for use in uses if use.rows[name])
