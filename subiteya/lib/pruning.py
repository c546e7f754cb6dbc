"""Forgetting what is old, a few rows at a time, so that nobody waits for it and it waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet


def oldest_forget(rows: QuerySet[Any], *, moment: str, before: datetime, at_once: int) -> int:
    """Delete those of the `at_once` rows with the lowest keys whose `moment` lies before `before`.

    Answers how many rows went, with those that they took along.

    For tables that only grow, where what is old has the lowest keys: the primary key leads straight to it, however
    long the table is, and no other index is needed. A short transaction locks just these rows; PostgreSQL passes over
    those that somebody else holds, which are for the next time. While nothing is old, no transaction begins at all.
    Rows without a moment are not old.
    """
    lowest = rows.order_by("pk").values_list("pk", moment)
    if not _old(lowest[:at_once], before):
        return 0
    with transaction.atomic():
        old = _old(lowest.select_for_update(skip_locked=True)[:at_once], before)
        gone: int = rows.model._default_manager.filter(pk__in=old).delete()[0]
    return gone


def _old(lowest: Iterable[tuple[Any, datetime | None]], before: datetime) -> list[Any]:
    return [pk for pk, at in lowest if at is not None and at < before]
