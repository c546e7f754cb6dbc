"""Which videos contain what somebody typed: by an index of every three letters, where the words are rare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.models import TikTokAccount
from publishing.models import Asset, AssetKind, Video
from publishing.selectors.filters import having_words
from publishing.text_index import CAPTIONS, FILES, LETTERS, holding, is_indexed

#: So many hits among the newest fill a page without an index.
ENOUGH = 31


def words_found(query: str, *, window: int, most: int) -> list[int] | None:
    """The numbers of all videos that contain it.

    None: they are more than `most`, or there is no index to ask. The newest `window` videos tell common words first,
    because an index must collect all of a word's videos before it can tell how many they are.
    """
    if len(query) < LETTERS or not is_indexed():
        return None
    newest = list(Video.objects.order_by("-pk").values_list("pk", flat=True)[:window])
    hits = Video.objects.filter(having_words(query), pk__in=newest).order_by().values_list("pk", flat=True)[:ENOUGH]
    if len(hits) == ENOUGH:
        return None
    found: set[int] = set()
    for place in _places(query, most):
        pks = list(place[: most + 1])
        if len(pks) > most:
            return None
        found.update(pks)
    return list(found)


def _places(query: str, most: int) -> Iterator[QuerySet[Any, int]]:
    """The videos by each place in which the words can be, as `having_words` names them."""
    videos = Video.objects.order_by().values_list("pk", flat=True)
    yield videos.filter(trace_id=query)
    yield videos.filter(post_id=query)
    accounts = TikTokAccount.objects.filter(username__icontains=query.lstrip("@"))
    yield videos.filter(account__in=accounts.order_by().values("pk"))
    sources = holding(FILES, Asset.objects.filter(kind=AssetKind.SOURCE), query).values_list("pk", flat=True)
    few = list(sources[: most + 1])
    yield videos.filter(batch__source__in=few) if len(few) <= most else videos
    yield holding(CAPTIONS, Video.objects.order_by(), query).values_list("pk", flat=True)
