"""Questions to a bounded part of the videos, which cost what the part is large, whatever is asked of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.sql.datastructures import BaseTable

from publishing.models import Video
from publishing.models.video import VideoQuerySet

#: What the list filters and orders by; nothing else of a part is read.
COLUMNS = ("id", "status", "account_id", "reason_code", "batch_id", "created_at", "scheduled_at")
#: And where it looks for words.
WORDS_COLUMNS = ("caption", "trace_id", "post_id")
#: Stands where a status will: making the text of a question takes longer than asking it.
_ANY = "any status"


class _Part(BaseTable):
    """A subselect where a query names a table."""

    def __init__(self, table: str, alias: str, text: str, values: Sequence[Any]) -> None:
        super().__init__(table, alias)
        self.text, self.values = text, values

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return f"({self.text}) AS {compiler.quote_name_unless_alias(self.table_alias)}", list(self.values)


def part(legs: Sequence[VideoQuerySet], *, words: bool = False) -> VideoQuerySet:
    """Videos that are read from these slices only. Each leg is sliced; no video is in two of them.

    A database neither looks into a slice with an index for a condition on its rows, nor reads more of it than it needs.
    So it cannot choose to collect all videos of a common word or status first, as it does when it takes them for few.
    Other columns than `COLUMNS` (with `words`: and `WORDS_COLUMNS`) cannot be asked for; it is no subquery of another.
    """
    columns = (*COLUMNS, *WORDS_COLUMNS) if words else COLUMNS
    texts, values = [], []
    for leg in legs:
        with suppress(EmptyResultSet):  # of two filters that contradict each other
            text, parameters = leg.values(*columns).query.sql_with_params()
            texts.append(text)
            values += parameters
    if not texts:
        return Video.objects.none()
    if len(texts) > 1:
        texts = [f"SELECT * FROM ({text}) AS leg" for text in texts]  # noqa: S608  # of the ORM's making
    videos = Video.objects.all()
    alias = videos.query.get_initial_alias()
    assert alias, "the table itself"
    videos.query.alias_map[alias] = _Part(alias, alias, " UNION ALL ".join(texts), values)
    return videos


def among(pks: Sequence[int]) -> RawSQL:
    """For `pk__in`: thousands of numbers in one parameter, where Django would make a parameter of each."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(pks)])  # noqa: S611  # numbers of ours
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(pks))])  # noqa: S611  # numbers of ours


def pks_up_to(bound: int, rows: QuerySet[Any]) -> list[int] | None:
    """The numbers of all of them, in no order; None when they are more. In one row: thousands of rows take longer."""
    try:
        text, values = rows.order_by().values("pk")[: bound + 1].query.sql_with_params()
    except EmptyResultSet:  # of two filters that contradict each other
        return []
    gather = "array_agg(pk)" if connection.vendor == "postgresql" else "json_group_array(pk)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {gather} FROM ({text}) AS part", values)  # noqa: S608  # of the ORM's making
        [found] = cursor.fetchone()
    pks: list[int] = json.loads(found) if isinstance(found, str) else found or []
    return pks if len(pks) <= bound else None


def counts_up_to(bound: int, videos: VideoQuerySet, statuses: Sequence[str]) -> dict[str, int]:
    """How many of the videos have each status, counted up to `bound` + 1, in one query."""
    if not statuses:
        return {}
    text, values = videos.filter(status=_ANY).order_by().values("pk")[: bound + 1].query.sql_with_params()
    count = f"SELECT %s, COUNT(*) FROM ({text}) AS part"  # noqa: S608  # of the ORM's making
    parts = [(status, *(status if value == _ANY else value for value in values)) for status in statuses]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([count] * len(parts)), [value for part in parts for value in part])
        return dict(cursor.fetchall())
