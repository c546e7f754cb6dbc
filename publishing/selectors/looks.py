"""The list's pages and counts, at a cost that does not grow with the videos there are.

`videos_matching` says what belongs to a filter; this decides where to look for it. The candidates come from an index,
newest first, and only they are held against the whole filter:

* a filter that few videos pass by themselves (one submission, one account, a cause, a rare word …) is looked through
  entirely;
* without one, windows of the newest candidates, one after the other, until the page is full or `Bounds.most` of them
  were looked at. Then the page says how far it looked, and the next one goes on from there.

Counts are exact up to a bound, and say so beyond it.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from publishing.models import Video
from publishing.models.video import VideoQuerySet
from publishing.selectors.filters import NAMES, days_of, moment_of, statuses_of, videos_matching
from publishing.selectors.words import words_found
from publishing.states import VideoStatus

#: Filters that the indexes of `Video` answer by themselves, whatever is asked for beside them.
PLAIN = frozenset({"account", "status", "family"})


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much is looked at: candidates at a time, all of them where they are few, and at most (with words, which take
    longer, and without); the newest that tell whether a word is common; and what is counted.
    """

    window: int = 2_000
    rare: int = 5_000
    most: int = 10_000
    most_words: int = 4_000
    sample: int = 500
    count: int = 10_000


class Key(NamedTuple):
    """A place in the list: the moment by which it is ordered (none: by number alone), and the video's number."""

    at: datetime | None
    pk: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page. `after`: where the next one goes on; None at the end. `cut`: the look ended, not the videos."""

    pks: list[int]
    after: Key | None = None
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Videos by status, of `capped` ones at least so many; nothing is counted beyond `bound`."""

    by_status: Mapping[str, int]
    bound: int
    capped: frozenset[str] = frozenset()

    def of(self, statuses: Iterable[str] = VideoStatus.values) -> Amount:
        """All of these statuses together."""
        chosen = frozenset(statuses)
        number, more = sum(self.by_status.get(status, 0) for status in chosen), bool(chosen & self.capped)
        return Amount(min(number, self.bound) if more else number, more)


class Amount(NamedTuple):
    """How many; `more`: or more."""

    number: int
    more: bool


class _Few(NamedTuple):
    """Candidates, and the filters that all of them pass."""

    pks: list[int]
    covers: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """Where candidates come from, newest first. `covers`: the filters that every candidate passes."""

    legs: list[VideoQuerySet]
    by: str
    covers: frozenset[str]


@dataclass(kw_only=True)
class Looker:
    """Looks for one person's videos; keep it for one request."""

    user: Any
    bounds: Bounds = field(default_factory=Bounds)
    _words: dict[str, list[int] | None] = field(default_factory=dict)

    def page(self, asked: Mapping[str, Any], *, size: int, before: Key | None = None) -> Found:
        """The next `size` videos that pass, newest first: by number, or with days by the moment that they filter."""
        walk, few = self._walk_of(asked), self._few(asked)
        if few is not None:
            return _found(self._passing(asked, few, walk.by, before, size + 1), size)
        if self._left(asked, walk.covers) == {}:
            return _found(_window(walk, before, size + 1), size)
        keys, looked, cursor = [], 0, before
        while looked < (self.bounds.most_words if asked.get("q") else self.bounds.most):
            window = _window(walk, cursor, self.bounds.window)
            few = _Few([key.pk for key in window], walk.covers)
            keys += self._passing(asked, few, walk.by, None, size + 1)
            if len(keys) > size or len(window) < self.bounds.window:
                return _found(keys, size)
            cursor, looked = window[-1], looked + len(window)
        if not keys and _set(asked) <= PLAIN:  # others published a lot meanwhile: an index finds the person's own
            return _found(_keys(videos_matching(self.user, asked), walk.by, before, size + 1), size)
        return Found(pks=[key.pk for key in keys], after=cursor, cut=True)

    def tally(self, asked: Mapping[str, Any]) -> Tally:
        """How many pass, by status: all of them, those up to a bound, or those among the newest candidates."""
        if _set(asked) <= PLAIN:
            return self._plain_tally(asked)
        few, cut = self._few(asked), False
        if few is None:
            walk = self._walk_of(asked)
            few = _Few([key.pk for key in _window(walk, None, self.bounds.window)], walk.covers)
            cut = len(few.pks) == self.bounds.window
        passing = videos_matching(self.user, self._asked_of(few, asked)).filter(pk__in=among(few.pks))
        counted = passing.order_by().values_list("status")
        capped = frozenset(VideoStatus.values if cut else ())
        return Tally(by_status=dict(counted.annotate(n=Count("pk"))), bound=self.bounds.count, capped=capped)

    def newer(self, asked: Mapping[str, Any], *, than: int, size: int) -> list[int]:
        """The latest that pass and have a higher number than `than`; of what came in since, only the newest window."""
        latest = Video.objects.filter(pk__gt=than).order_by("-pk").values_list("pk", flat=True)[: self.bounds.window]
        few = _Few(list(latest), frozenset())
        return [key.pk for key in self._passing(asked, few, "", None, size)]

    def hiding(self, asked: Mapping[str, Any]) -> dict[str, Amount]:
        """For an empty list: `{filter: videos that there are without it}`, only those that let some through."""
        without = {name: self.tally({**asked, name: ""}).of() for name in sorted(_set(asked))}
        return {name: amount for name, amount in without.items() if amount.number}

    def _plain_tally(self, asked: Mapping[str, Any]) -> Tally:
        videos = Video.objects.for_user(self.user)
        if asked.get("account"):
            videos = videos.filter(account=asked["account"])
        asked_for = statuses_of(asked)
        statuses = sorted(VideoStatus.values if asked_for is None else asked_for)
        bound = self.bounds.count
        counts = counts_up_to(bound, [videos.filter(status=status) for status in statuses])
        by_status = dict(zip(statuses, counts, strict=True))
        capped = frozenset(status for status, number in by_status.items() if number > bound)
        return Tally(by_status={status: min(n, bound) for status, n in by_status.items()}, bound=bound, capped=capped)

    def _few(self, asked: Mapping[str, Any]) -> _Few | None:
        """All candidates by the one filter that leaves few; None when each leaves many."""
        for covers, videos in self._narrow(asked):
            pks = list(videos.order_by().values_list("pk", flat=True)[: self.bounds.rare + 1])
            if len(pks) <= self.bounds.rare:
                return _Few(pks, frozenset(covers))
        pks_of_words = self._having_words(asked["q"]) if asked.get("q") else None
        return None if pks_of_words is None else _Few(pks_of_words, frozenset({"q"}))

    def _narrow(self, asked: Mapping[str, Any]) -> Iterator[tuple[set[str], VideoQuerySet]]:
        """Each filter that an index answers by itself, and its names; `user` is what a person may see."""
        everything, statuses = Video.objects.all(), statuses_of(asked)
        of_statuses = everything.filter(status__in=sorted(statuses)) if statuses is not None else everything
        if asked.get("batch"):
            yield {"batch"}, everything.filter(batch=asked["batch"])
        if asked.get("account"):
            yield set(PLAIN), of_statuses.filter(account=asked["account"])
        elif not self.user.sees_everything:
            yield {"user", *PLAIN}, of_statuses.for_user(self.user)
        if asked.get("cause"):
            yield {"cause"}, everything.filter(reason_code=asked["cause"])
        if statuses is not None:
            yield {"status", "family"}, of_statuses
        if moment_of(asked):
            yield {"since", "until"}, everything.filter(days_of(asked))

    def _having_words(self, query: str) -> list[int] | None:
        if query not in self._words:
            self._words[query] = words_found(query, window=self.bounds.sample, most=self.bounds.rare)
        return self._words[query]

    def _walk_of(self, asked: Mapping[str, Any]) -> _Walk:
        videos, statuses = Video.objects.all(), statuses_of(asked)
        if by := moment_of(asked):
            return _Walk(legs=[videos.filter(days_of(asked))], by=by, covers=frozenset({"since", "until"}))
        if asked.get("cause"):
            return _Walk(legs=[videos.filter(reason_code=asked["cause"])], by="", covers=frozenset({"cause"}))
        if asked.get("account"):
            videos = videos.filter(account=asked["account"])
        if statuses is not None:
            videos_of = [videos.filter(status=status) for status in sorted(statuses)]
            return _Walk(legs=videos_of, by="", covers=PLAIN)
        return _Walk(legs=[videos], by="", covers=PLAIN)

    def _left(self, asked: Mapping[str, Any], covers: frozenset[str]) -> dict[str, Any]:
        """The filters that are still to be held against candidates; what a person may see is one of them."""
        left = {name: asked[name] for name in _set(asked) - covers}
        return left if self.user.sees_everything or "user" in covers else left | {"user": self.user}

    def _passing(self, asked: Mapping[str, Any], few: _Few, by: str, before: Key | None, size: int) -> list[Key]:
        """The candidates that pass the whole filter, in the list's order."""
        if not by and not self._left(asked, few.covers):
            pks = sorted((pk for pk in few.pks if before is None or pk < before.pk), reverse=True)
            return [Key(None, pk) for pk in pks[:size]]
        passing = videos_matching(self.user, self._asked_of(few, asked)).filter(pk__in=among(few.pks))
        return _keys(passing, by, before, size)

    def _asked_of(self, few: _Few, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Without the words when they are held already: it spares three joins."""
        return {name: value for name, value in asked.items() if name != "q" or "q" not in few.covers}


def among(pks: Sequence[int]) -> RawSQL:
    """For `pk__in`: thousands of numbers in one parameter, where Django would make a parameter of each."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(pks)])  # noqa: S611  # numbers of ours
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(pks))])  # noqa: S611  # numbers of ours


def counts_up_to(bound: int, querysets: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each has, counted up to `bound` + 1, in one query."""
    if not querysets:
        return []
    texts: list[str] = []
    values: list[Any] = []
    for number, rows in enumerate(querysets):
        text, parameters = rows.order_by().values("pk")[: bound + 1].query.sql_with_params()
        texts.append(f"SELECT {number}, COUNT(*) FROM ({text}) AS part")  # noqa: S608  # of the ORM's making
        values += parameters
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(texts), values)
        counts: dict[int, int] = dict(cursor.fetchall())
    return [counts[number] for number in range(len(querysets))]


def _set(asked: Mapping[str, Any]) -> set[str]:
    """The filters that do something; `on` only says whose days they are."""
    return {name for name in NAMES if asked.get(name)} - {"on"}


def _found(keys: list[Key], size: int) -> Found:
    page = keys[:size]
    return Found(pks=[key.pk for key in page], after=page[-1] if len(keys) > size else None)


def _window(walk: _Walk, before: Key | None, size: int) -> list[Key]:
    """The next candidates of all legs together."""
    legs = [_keys(leg, walk.by, before, size) for leg in walk.legs]
    return legs[0] if len(legs) == 1 else list(islice(heapq.merge(*legs, reverse=True, key=lambda key: key.pk), size))


def _keys(videos: VideoQuerySet, by: str, before: Key | None, size: int) -> list[Key]:
    if not by:
        rows = videos if before is None else videos.filter(pk__lt=before.pk)
        return [Key(None, pk) for pk in rows.order_by("-pk").values_list("pk", flat=True)[:size]]
    if before is not None and before.at is not None:
        # The first condition says the same again, as the index can use it.
        later = Q(**{f"{by}__lt": before.at}) | Q(**{by: before.at}, pk__lt=before.pk)
        videos = videos.filter(Q(**{f"{by}__lte": before.at}) & later)
    return [Key(at, pk) for at, pk in videos.order_by(f"-{by}", "-pk").values_list(by, "pk")[:size]]
