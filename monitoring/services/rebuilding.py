"""Every sum that is kept beside the rows, counted anew from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from insights.services.summaries import summaries_rebuild as topics_rebuild
from monitoring.services.summaries import Key, summaries, summaries_rebuild


@dataclass(frozen=True)
class Difference:
    """A sum that was not what the rows say."""

    name: str
    kept: int
    counted: int


def counts() -> Iterator[Difference]:
    """Videos and jobs."""
    before = summaries()
    summaries_rebuild()
    after = summaries()
    for key in sorted(before.keys() | after.keys()):
        if before.get(key, 0) != after.get(key, 0):
            yield Difference(_named(key), before.get(key, 0), after.get(key, 0))


def _named(key: Key) -> str:
    account, day, what = key
    return f"{what} account={account or 'every'} day={day if day.year > 1 else 'now'}"


def topics() -> Iterator[Difference]:
    """Days of topics, and what is summed of them; how many of the days were wrong."""
    if wrong := topics_rebuild():
        yield Difference("days of topics that were wrong", wrong, 0)


#: What `manage.py rebuild_summaries` does, one after the other.
REBUILDERS: list[Callable[[], Iterator[Difference]]] = [counts, topics]
