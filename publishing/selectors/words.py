"""Which videos contain what somebody typed: by an index of every three letters, where the words are rare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import TikTokAccount
from publishing.models import Asset, AssetKind, Video
from publishing.selectors.bounded import among, part, pks_up_to
from publishing.text_index import CAPTIONS, FILES, LETTERS, holding, is_indexed

#: So many hits among the newest fill a page without an index.
ENOUGH = 31


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is looked for, and the numbers of the accounts and source files in whose names it is.

    `sources` is None where they are too many, or there is no index to ask.
    """

    query: str
    accounts: list[int]
    sources: list[int] | None

    def condition(self) -> Q:
        """The same as `filters.having_words`, without a look at the names beside every video."""
        words = Q(caption__icontains=self.query) | Q(trace_id=self.query) | Q(post_id=self.query)
        if self.accounts:
            words |= Q(account__in=among(self.accounts))
        if self.sources is None:
            return words | Q(batch__source__original_name__icontains=self.query)
        return words | Q(batch__source__in=among(self.sources)) if self.sources else words


def words_of(query: str, *, most: int) -> Words:
    """Look for its accounts and files, of which `most` are told."""
    accounts = TikTokAccount.objects.filter(username__icontains=query.lstrip("@"))
    sources = None
    if _has_index(query):
        sources = pks_up_to(most, holding(FILES, Asset.objects.filter(kind=AssetKind.SOURCE), query))
    return Words(query=query, accounts=list(accounts.order_by().values_list("pk", flat=True)), sources=sources)


def words_found(words: Words, *, window: int, most: int) -> list[int] | None:
    """The numbers of all videos that contain them.

    None: they are more than `most`, or there is no index to ask. The newest `window` videos tell common words first,
    because an index must collect all of a word's videos before it can tell how many they are.
    """
    if words.sources is None or not _has_index(words.query):
        return None
    newest = part([Video.objects.order_by("-pk")[:window]], words=True)
    hits = newest.filter(words.condition()).order_by().values_list("pk", flat=True)[:ENOUGH]
    if len(hits) == ENOUGH:
        return None
    found: set[int] = set()
    for place in _places(words):
        pks = pks_up_to(most, place)
        if pks is None:
            return None
        found.update(pks)
    return list(found)


def _has_index(query: str) -> bool:
    return len(query) >= LETTERS and is_indexed()


def _places(words: Words) -> Iterator[QuerySet[Video]]:
    """The videos by each place in which the words can be, as `Words.condition` names them."""
    videos = Video.objects.order_by()
    yield videos.filter(trace_id=words.query)
    yield videos.filter(post_id=words.query)
    if words.accounts:
        yield videos.filter(account__in=among(words.accounts))
    if words.sources:
        yield videos.filter(batch__source__in=among(words.sources))
    yield holding(CAPTIONS, videos, words.query)
