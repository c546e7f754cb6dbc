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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count

from accounts.models import TikTokAccount
from publishing.models import Video
from publishing.models.video import VideoQuerySet
from publishing.selectors.bounded import among, counts_up_to, part, pks_up_to
from publishing.selectors.filters import NAMES, days_of, moment_of, passing, span_of, statuses_of, videos_matching
from publishing.selectors.places import Key, Walk, keys_of
from publishing.selectors.words import Words, words_found, words_of
from publishing.states import VideoStatus

#: Filters that the indexes of `Video` answer by themselves, whatever is asked for beside them.
PLAIN = frozenset({"account", "status", "family"})
IN_CHARGE = TikTokAccount.managers.through


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


@dataclass(frozen=True, kw_only=True)
class _Few:
    """All candidates, and the filters that all of them pass."""

    videos: VideoQuerySet
    covers: frozenset[str]


@dataclass(kw_only=True)
class Looker:
    """Looks for one person's videos; keep it for one request."""

    user: Any
    bounds: Bounds = field(default_factory=Bounds)
    _known: dict[Any, Any] = field(default_factory=dict)

    def page(self, asked: Mapping[str, Any], *, size: int, before: Key | None = None) -> Found:
        """The next `size` videos that pass, newest first: by number, or with days by the moment that they filter."""
        walk = self._walk_of(asked)
        if self._passes_all(asked, walk.covers):
            return _found(keys_of(part(walk.next(before, size + 1)), walk.by, None, size + 1), size)
        plain = _set(asked) <= PLAIN
        if plain and (pks := pks_up_to(self.bounds.rare, passing(self._seen(Video.objects.all()), asked))) is not None:
            left = sorted((pk for pk in pks if before is None or pk < before.pk), reverse=True)
            return _found([Key(None, pk) for pk in left[: size + 1]], size)
        if not plain and (few := self._few(asked)):
            return _found(keys_of(self._passing([few.videos], few.covers, asked), walk.by, before, size + 1), size)
        keys: list[Key] = []
        looked, cursor = 0, before
        while looked < (self.bounds.most_words if asked.get("q") else self.bounds.most):
            edge = walk.edge(cursor, self.bounds.window)
            found = self._passing(walk.between(cursor, edge), walk.covers, asked)
            keys += keys_of(found, walk.by, None, size + 1 - len(keys))
            if len(keys) > size or edge is None:
                return _found(keys, size)
            cursor, looked = edge, looked + self.bounds.window
        if plain and not keys:  # others published a lot meanwhile: an index finds the person's own
            return _found(keys_of(videos_matching(self.user, asked), walk.by, before, size + 1), size)
        return Found(pks=[key.pk for key in keys], after=cursor, cut=True)

    def tally(self, asked: Mapping[str, Any]) -> Tally:
        """How many pass, by status: all of them, those up to a bound, or those among the newest candidates."""
        if _set(asked) <= PLAIN:
            return self._plain_tally(asked)
        few, edge = self._few(asked), None
        if few is not None:
            found = self._passing([few.videos], few.covers, asked)
        else:
            walk = self._walk_of(asked)
            edge = walk.edge(None, self.bounds.window)
            found = self._passing(walk.between(None, edge), walk.covers, asked)
        counted = found.order_by().values_list("status").annotate(n=Count("pk"))
        capped = frozenset(VideoStatus.values if edge else ())
        return Tally(by_status=dict(counted), bound=self.bounds.count, capped=capped)

    def newer(self, asked: Mapping[str, Any], *, than: int, size: int) -> list[int]:
        """The latest that pass and have a higher number than `than`; of what came in since, only the newest window."""
        latest = Video.objects.filter(pk__gt=than).order_by("-pk")[: self.bounds.window]
        return [key.pk for key in keys_of(self._passing([latest], frozenset(), asked), "", None, size)]

    def hiding(self, asked: Mapping[str, Any]) -> dict[str, Amount]:
        """For an empty list: `{filter: videos that there are without it}`, only those that let some through."""
        without = {name: self.tally({**asked, name: ""}).of() for name in sorted(_set(asked))}
        return {name: amount for name, amount in without.items() if amount.number}

    def _plain_tally(self, asked: Mapping[str, Any]) -> Tally:
        videos = self._seen(Video.objects.all())
        if asked.get("account"):
            videos = videos.filter(account=asked["account"])
        asked_for = statuses_of(asked)
        statuses = sorted(VideoStatus.values if asked_for is None else asked_for)
        bound = self.bounds.count
        by_status = counts_up_to(bound, videos, statuses)
        capped = frozenset(status for status, number in by_status.items() if number > bound)
        return Tally(by_status={status: min(n, bound) for status, n in by_status.items()}, bound=bound, capped=capped)

    def _few(self, asked: Mapping[str, Any]) -> _Few | None:
        """All candidates by the one filter that leaves few; None when each leaves many."""
        for covers, videos in self._narrow(asked):
            if self._is_few(videos, tuple(sorted((name, str(asked.get(name))) for name in {*covers, "on"}))):
                return _Few(videos=videos.order_by()[: self.bounds.rare + 1], covers=frozenset(covers))
        pks = self._having_words(asked["q"]) if asked.get("q") else None
        if pks is None:
            return None
        return _Few(videos=Video.objects.filter(pk__in=among(pks)).order_by()[: len(pks) + 1], covers=frozenset({"q"}))

    def _is_few(self, videos: VideoQuerySet, named: tuple[tuple[str, str], ...]) -> bool:
        if named not in self._known:
            beyond = videos.order_by().values_list("pk")[self.bounds.rare : self.bounds.rare + 1]
            self._known[named] = not list(beyond)
        return bool(self._known[named])

    def _narrow(self, asked: Mapping[str, Any]) -> Iterator[tuple[set[str], VideoQuerySet]]:
        """Each filter that an index answers by itself, and its names; `user` is what a person may see."""
        everything, statuses = Video.objects.all(), statuses_of(asked)
        of_statuses = everything.filter(status__in=sorted(statuses)) if statuses is not None else everything
        if asked.get("batch"):
            yield {"batch"}, everything.filter(batch=asked["batch"])
        if asked.get("account"):
            yield set(PLAIN), of_statuses.filter(account=asked["account"])
        elif not self.user.sees_everything:
            yield {"user", *PLAIN}, self._seen(of_statuses)
        if asked.get("cause"):
            yield {"cause"}, everything.filter(reason_code=asked["cause"])
        if statuses is not None:
            yield {"status", "family"}, of_statuses
        if moment_of(asked):
            yield {"since", "until"}, everything.filter(days_of(asked))

    def _words(self, query: str) -> Words:
        if ("q", query) not in self._known:
            self._known["q", query] = words_of(query, most=self.bounds.rare)
        words: Words = self._known["q", query]
        return words

    def _having_words(self, query: str) -> list[int] | None:
        if query not in self._known:
            found = words_found(self._words(query), window=self.bounds.sample, most=self.bounds.rare)
            self._known[query] = found
        pks: list[int] | None = self._known[query]
        return pks

    def _seen(self, videos: VideoQuerySet) -> VideoQuerySet:
        """Those that the person may see, as `for_user` has them; without the accounts' table in every question."""
        if self.user.sees_everything:
            return videos
        return videos.filter(account__in=IN_CHARGE.objects.filter(user=self.user).values("tiktokaccount"))

    def _walk_of(self, asked: Mapping[str, Any]) -> Walk:
        videos, statuses = Video.objects.all(), statuses_of(asked)
        if by := moment_of(asked):
            since, end = span_of(asked)
            return Walk(legs=[videos], covers=frozenset({"since", "until"}), by=by, since=since, end=end)
        if asked.get("cause"):
            return Walk(legs=[videos.filter(reason_code=asked["cause"])], covers=frozenset({"cause"}))
        if asked.get("account"):
            videos = videos.filter(account=asked["account"])
        if statuses is not None:
            return Walk(legs=[videos.filter(status=status) for status in sorted(statuses)], covers=PLAIN)
        return Walk(legs=[videos], covers=PLAIN)

    def _passes_all(self, asked: Mapping[str, Any], covers: frozenset[str]) -> bool:
        """Is there no filter beside these? What a person may see is one, too."""
        return _set(asked) <= covers and (self.user.sees_everything or "user" in covers)

    def _passing(
        self, legs: Sequence[VideoQuerySet], covers: frozenset[str], asked: Mapping[str, Any]
    ) -> VideoQuerySet:
        """The candidates that pass the whole filter, of which they all pass `covers`."""
        left = {name: value for name, value in asked.items() if name not in covers}
        candidates = part(legs, words=bool(left.get("q")))
        seen = candidates if "user" in covers else self._seen(candidates)
        return passing(seen, left, self._words(left["q"]).condition() if left.get("q") else None)


def _set(asked: Mapping[str, Any]) -> set[str]:
    """The filters that do something; `on` only says whose days they are."""
    return {name for name in NAMES if asked.get(name)} - {"on"}


def _found(keys: list[Key], size: int) -> Found:
    page = keys[:size]
    return Found(pks=[key.pk for key in page], after=page[-1] if len(keys) > size else None)
