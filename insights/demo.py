"""The demo's month as evidence: results, counts three days after each post, hits and topics. All of it invented."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from insights.models import CountSnapshot, Publication
from insights.services.counts import next_count_at
from insights.services.publications import publications_reconcile
from insights.services.settling import SETTLED, settle
from publishing.demo.views import counts_of
from publishing.signals import demo_loaded


@receiver(demo_loaded)
def learn_the_demo(sender: object, **_kwargs: Any) -> None:
    """As if the schedule had asked the sandbox all month: it answers the same counts today."""
    while publications_reconcile(whole=True):
        pass
    posts = Publication.objects.filter(posted_at__isnull=False, settled_views__isnull=True)
    posts = posts.exclude(video__post_id="")
    with transaction.atomic():
        for post in posts.select_related("video", "account").order_by("posted_at", "pk"):
            _count(post)


def _count(post: Publication) -> None:
    assert post.posted_at is not None, "only published ones were asked for"
    at = post.posted_at + SETTLED + timedelta(minutes=5)
    if at > timezone.now():
        return
    told = counts_of(post.video)
    counts = {name: told[f"{name[:-1]}_count"] for name in ("views", "likes", "comments", "shares")}
    CountSnapshot.objects.get_or_create(publication=post, taken_at=at, defaults=counts)
    Publication.objects.filter(pk=post.pk).update(
        **counts, counted_at=at, next_count_at=next_count_at(post.posted_at, timezone.now())
    )
    settle(post, views=counts["views"], at=at)
