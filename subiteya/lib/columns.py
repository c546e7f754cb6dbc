"""Expressions of a query whose values need no second look."""

from __future__ import annotations

from typing import Any


class AsRead:
    """In front of an expression: what the database's driver answers is the value, of the right type already.

    Django would call a function on each of them: a millisecond for a thousand rows.
    """

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []
