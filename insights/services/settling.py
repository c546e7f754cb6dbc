"""Whether a post did well: its views at three days of age, against its account's posts before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from insights.models import Publication
from insights.services.topics import topics_counted

#: Posts are compared at this age; a first count later than LATEST is of another age, and is not compared.
SETTLED, LATEST = timedelta(days=3), timedelta(days=14)
#: The posts before it that a post is compared with, and how many there must be.
HISTORY, LEAST = timedelta(days=90), 5


def settle(publication: Publication, *, views: int, at: datetime) -> bool:
    """Decide with this count, once; whether it was decided now. Call inside a transaction.

    Only posts published before it are looked at, so that the decision never changes with what comes later.
    """
    posted_at = publication.posted_at
    if posted_at is None or not SETTLED <= at - posted_at < LATEST:
        return False
    typical = account_median(publication)
    is_hit = None if typical is None else views > typical
    mine = Publication.objects.filter(pk=publication.pk, settled_views__isnull=True)
    if not mine.update(settled_views=views, median_views=typical, is_hit=is_hit):
        return False
    publication.settled_views, publication.median_views, publication.is_hit = views, typical, is_hit
    if is_hit is not None:
        topics_counted(publication)
    return True


def account_median(publication: Publication) -> float | None:
    """The median of the account's settled views in the 90 days before; None with fewer than five."""
    assert publication.posted_at is not None, "only what was published is compared"
    before = Publication.objects.filter(
        account=publication.account_id, settled_views__isnull=False, posted_at__lt=publication.posted_at,
        posted_at__gte=publication.posted_at - HISTORY,
    )  # fmt: skip
    views = [count for count in before.order_by().values_list("settled_views", flat=True) if count is not None]
    return float(median(views)) if len(views) >= LEAST else None
