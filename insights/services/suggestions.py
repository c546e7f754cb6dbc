"""Suggestions as people meet them: shown and kept, taken or not, blocked and let back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Sector, TikTokAccount, User
from insights.models import BlockedTopic, SuggestedTopic, Suggestion, Topic
from insights.selectors.suggestions import SectorSuggestions, suggest_all
from insights.services.topics import fold, hashtags
from publishing.models import Video


class NoHashtag(ValueError):
    """What was typed is no hashtag; str() is a sentence."""


def suggestions_show(*, user: User, accounts: Sequence[TikTokAccount], submission_key: str) -> list[SectorSuggestions]:
    """What to suggest for a submission to these accounts, by sector; what is shown is kept, once per submission."""
    sectors = {account.sector_id: account.sector for account in accounts}
    found = suggest_all(list(sectors.values()), accounts=accounts)
    for shown in found:
        if shown.items and submission_key:
            _keep(user, submission_key, shown)
    return sorted(found, key=lambda shown: shown.sector.name)


@transaction.atomic
def _keep(user: User, key: str, shown: SectorSuggestions) -> None:
    row, _made = Suggestion.objects.get_or_create(
        submission_key=key, sector=shown.sector, user=user, defaults={"shown_at": timezone.now()}
    )
    if row.batch_id is not None:
        return  # the page was open after it was submitted: that choice is made
    topics = Topic.objects.in_bulk([item.topic for item in shown.items], field_name="name")
    SuggestedTopic.objects.bulk_create(
        [
            SuggestedTopic(suggestion=row, topic=topics[item.topic], rank=item.rank, evidence=item.as_json())
            for item in shown.items if item.topic in topics
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def suggestions_take(video: Video) -> None:
    """Note which of the suggestions that its author saw a video that was just submitted carries."""
    shown = Suggestion.objects.filter(
        submission_key=video.batch.submission_key, user=video.batch.created_by_id, sector=video.account.sector_id
    )
    row = shown.first()
    if row is None:
        return
    Suggestion.objects.filter(pk=row.pk).update(batch=video.batch_id)
    taken = set(hashtags(video.caption))
    topics = SuggestedTopic.objects.filter(suggestion=row)
    topics.filter(topic__name__in=taken).update(is_chosen=True)
    topics.filter(is_chosen__isnull=True).update(is_chosen=False)


def topic_block(*, typed: str, sector: Sector | None, user: User, reason: str = "") -> BlockedTopic:
    """Never suggest this again: in one sector, or (None) anywhere. Twice is once. Raises NoHashtag."""
    found = hashtags(f"#{typed.strip().lstrip('#')}")
    if len(found) != 1 or fold(typed) not in found:
        raise NoHashtag(gettext("%(typed)s is not a hashtag: one word, without spaces.") % {"typed": typed[:60]})
    row, _made = BlockedTopic.objects.get_or_create(
        name=fold(typed), sector=sector, defaults={"blocked_by": user, "reason": reason.strip()[:200]}
    )
    return row


def topics_blocked(sectors: Iterable[Sector]) -> list[BlockedTopic]:
    """What is blocked anywhere or in one of these sectors, by name."""
    rows = BlockedTopic.objects.filter(sector=None) | BlockedTopic.objects.filter(sector__in=list(sectors))
    return list(rows.select_related("sector", "blocked_by").order_by("name", "pk"))
