"""The list's order, and the way along it: places, and the candidates between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from publishing.models.video import VideoQuerySet
from publishing.selectors.bounded import part

#: More rows than there are between two places: a slice so long leaves none out, but is one.
FENCE = 10**9


class Key(NamedTuple):
    """A place in the list: the moment by which it is ordered (none: by number alone), and the video's number."""

    at: datetime | None
    pk: int


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Where candidates come from, newest first. `covers`: the filters that every candidate passes.

    `since` (included) and `end` (not) bound the moment `by`; no leg does: of two bounds on the same side SQLite may
    walk from the one that is further away.
    """

    legs: list[VideoQuerySet]
    covers: frozenset[str]
    by: str = ""
    since: datetime | None = None
    end: datetime | None = None

    def next(self, before: Key | None, size: int) -> list[VideoQuerySet]:
        """Of each leg the next `size` candidates after this place."""
        return [_ordered(leg.filter(self._span(before, None)), self.by)[:size] for leg in self.legs]

    def between(self, before: Key | None, edge: Key | None) -> list[VideoQuerySet]:
        """Of each leg the candidates from `before` (without it) to `edge` (with it)."""
        return [_ordered(leg.filter(self._span(before, edge)), self.by)[:FENCE] for leg in self.legs]

    def edge(self, before: Key | None, size: int) -> Key | None:
        """The last of the next `size` candidates of all legs together; None when there are fewer."""
        legs = self.next(before, size)
        rows = legs[0] if len(legs) == 1 else _ordered(part(legs), self.by)
        return next(iter(_read(rows, self.by, slice(size - 1, size))), None)

    def _span(self, before: Key | None, edge: Key | None) -> Q:
        if before and self.end and (before.at is None or before.at >= self.end):
            before = None  # an address that somebody made
        span = _after(self.by, before) if before else Q()
        if not before and self.end:
            span &= Q(**{f"{self.by}__lt": self.end})
        if edge:
            return span & _until(self.by, edge)
        return span & Q(**{f"{self.by}__gte": self.since}) if self.since else span


def keys_of(videos: VideoQuerySet, by: str, before: Key | None, size: int) -> list[Key]:
    """The first `size` of these videos, in the list's order, after this place."""
    return _read(_ordered(videos.filter(_after(by, before)) if before else videos, by), by, slice(size))


def _read(videos: VideoQuerySet, by: str, some: slice) -> list[Key]:
    if not by:
        return [Key(None, pk) for pk in videos.values_list("pk", flat=True)[some]]
    return [Key(at, pk) for at, pk in videos.values_list(by, "pk")[some]]


def _ordered(videos: VideoQuerySet, by: str) -> VideoQuerySet:
    return videos.order_by(f"-{by}", "-pk") if by else videos.order_by("-pk")


def _after(by: str, place: Key) -> Q:
    """What comes after this place in the list."""
    if not by:
        return Q(pk__lt=place.pk)
    if place.at is None:
        return Q()
    # The first condition says the same again, as the index can use it.
    later = Q(**{f"{by}__lt": place.at}) | Q(**{by: place.at}, pk__lt=place.pk)
    return Q(**{f"{by}__lte": place.at}) & later


def _until(by: str, place: Key) -> Q:
    """What comes before this place in the list, and what stands there."""
    if not by:
        return Q(pk__gte=place.pk)
    sooner = Q(**{f"{by}__gt": place.at}) | Q(**{by: place.at}, pk__gte=place.pk)
    return Q(**{f"{by}__gte": place.at}) & sooner
