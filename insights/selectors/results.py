"""Did the suggestions help the posts that took them? Observed: whoever takes a hint may differ in other ways, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from insights.models import Publication, PublicationTopic, SuggestedTopic, Suggestion
from insights.statistics.tables import Arm

WINDOW = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Results:
    """Of what was shown in 90 days. `took` and `took_none`: posts above the median of their account, of those known."""

    submissions: int
    shown: int
    chosen: int
    took: Arm
    took_none: Arm


def suggestion_results(user: User) -> Results:
    """The results of the suggestions that this person saw; of everybody's for whoever sees everything. Two queries."""
    since = timezone.now() - WINDOW
    rows = Suggestion.objects.filter(shown_at__gte=since, batch__isnull=False)
    if not user.sees_everything:
        rows = rows.filter(user=user)
    counts = rows.aggregate(
        submissions=Count("pk", distinct=True), shown=Count("topics"),
        chosen=Count("topics", filter=Q(topics__is_chosen=True)),
    )  # fmt: skip
    if not counts["submissions"]:
        return Results(submissions=0, shown=0, chosen=0, took=Arm(0, 0), took_none=Arm(0, 0))
    mine = rows.filter(batch=OuterRef("video__batch"), sector=OuterRef("sector"))
    taken = SuggestedTopic.objects.filter(
        suggestion__in=rows, suggestion__batch=OuterRef("publication__video__batch"),
        suggestion__sector=OuterRef("publication__sector"), topic=OuterRef("topic"),
    )  # fmt: skip
    carried = PublicationTopic.objects.filter(publication=OuterRef("pk")).filter(Exists(taken))
    # led by the suggestions of 90 days, not by the publications of all time
    submitted = Publication.objects.filter(video__batch__in=rows.order_by().values("batch"))
    known = submitted.filter(Exists(mine), is_hit__isnull=False).annotate(took=Exists(carried))
    sums = known.order_by().aggregate(
        with_one=Count("pk", filter=Q(took=True)), with_one_hits=Count("pk", filter=Q(took=True, is_hit=True)),
        without=Count("pk", filter=Q(took=False)), without_hits=Count("pk", filter=Q(took=False, is_hit=True)),
    )  # fmt: skip
    return Results(
        submissions=counts["submissions"], shown=counts["shown"], chosen=counts["chosen"],
        took=Arm(sums["with_one_hits"], sums["with_one"]), took_none=Arm(sums["without_hits"], sums["without"]),
    )  # fmt: skip
