"""The sums beside the rows that were loaded, in a few statements; `rebuild_summaries` would find nothing to mend."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from insights.models import TopicAccount, TopicDay, TopicSectorDay, TopicStanding
from insights.services.standings import standings_make
from monitoring.models import SummaryTotal
from monitoring.services.summaries import summaries_rebuild

#: What is written here.
TABLES = [model._meta.db_table for model in (SummaryTotal, TopicSectorDay, TopicAccount, TopicStanding)]
NUMBERS = "videos, counted, hits"
SUMS = "SUM(videos), SUM(counted), SUM(hits)"


def sums_write() -> None:
    """Sum everything there is, in tables that hold no sums yet."""
    summaries_rebuild()
    for model, columns, chosen, grouped in (
        (TopicSectorDay, f"sector_id, topic_id, day, {NUMBERS}", f"sector_id, topic_id, day, {SUMS}", "1, 2, 3"),
        (
            TopicAccount, f"sector_id, topic_id, account_id, {NUMBERS}, last_day",
            f"sector_id, topic_id, account_id, {SUMS}, MAX(day)", "1, 2, 3",
        ),
    ):  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{model._meta.db_table}" ({columns})'  # noqa: S608  # our own names
                f' SELECT {chosen} FROM "{TopicDay._meta.db_table}" GROUP BY {grouped}'
            )
    topics = set(TopicAccount.objects.order_by().values_list("topic", flat=True).distinct())
    standings_make(topics, timezone.now().date())
