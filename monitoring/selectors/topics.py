"""What is talked about in the videos that were published: hashtags by sector."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from publishing.models import Video
from publishing.states import VideoStatus

WINDOW = timedelta(days=30)
LEADERS = 5
#: The latest so many captions are read.
SAMPLE = 2_000
#: A `#`, then letters, marks, digits and underscores of any script; not a number alone.
HASHTAG = re.compile(r"#(?=\w*[^\W\d_])(\w+)")


@dataclass(frozen=True)
class Topic:
    """A hashtag, in how many published videos of how many accounts."""

    topic: str
    videos: int
    accounts: int


def topic_leaders() -> dict[str, list[Topic]]:
    """Sector → its most used hashtags in videos that were published in the last 30 days, the most used first.

    Use is no success: this says what is published, not what works.
    """
    published = Video.objects.filter(status=VideoStatus.POSTED, posted_at__gte=timezone.now() - WINDOW)
    rows = published.order_by("-posted_at").values_list("account__sector__name", "account", "caption")[:SAMPLE]
    uses: dict[str, Counter[str]] = defaultdict(Counter)
    users: dict[tuple[str, str], set[int]] = defaultdict(set)
    for sector, account, caption in rows:
        for topic in hashtags(caption):
            uses[sector][topic] += 1
            users[sector, topic].add(account)
    return {
        sector: [Topic(topic, n, len(users[sector, topic])) for topic, n in _first(uses[sector])]
        for sector in sorted(uses)
    }


def hashtags(caption: str) -> set[str]:
    """The hashtags of a caption without `#`, in lower case and composed form: each counts once."""
    return {tag.casefold() for tag in HASHTAG.findall(unicodedata.normalize("NFC", caption))}


def _first(uses: Counter[str]) -> list[tuple[str, int]]:
    return sorted(uses.items(), key=lambda item: (-item[1], item[0]))[:LEADERS]
