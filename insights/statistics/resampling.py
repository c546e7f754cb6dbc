"""How much hangs on single accounts: each left out once, and all drawn again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from insights.statistics.tables import ALPHA, Interval

ROUNDS = 1_000
LEAST_ACCOUNTS = 10
_SEED = 20_260_101


@dataclass(frozen=True)
class Share:
    """What an account adds to a pooled difference, which is the sum of all `tops` over the sum of all `weights`."""

    name: str
    top: float
    weight: float


@dataclass(frozen=True)
class LeftOut:
    """The lowest and the highest result when one stratum is left out, and whose that is."""

    low: float
    high: float
    low_without: str
    high_without: str


def leave_one_out(shares: Sequence[Share]) -> LeftOut | None:
    """None with fewer than two accounts."""
    top, weight = sum(share.top for share in shares), sum(share.weight for share in shares)
    if len(shares) < 2:
        return None
    found = [((top - share.top) / (weight - share.weight), share.name) for share in shares]
    (low, without_low), (high, without_high) = min(found), max(found)
    return LeftOut(low, high, without_low, without_high)


def bootstrap(shares: Sequence[Share]) -> Interval | None:
    """95 % percentiles of the pooled difference when whole accounts are drawn again; None with too few accounts.

    An account's publications resemble each other: drawing them one by one would promise too much. The draws are
    the same each time.
    """
    if len(shares) < LEAST_ACCOUNTS:
        return None
    lot = random.Random(_SEED)  # noqa: S311  a simulation, not a secret
    pairs = [(share.top, share.weight) for share in shares]
    found = []
    for _round in range(ROUNDS):
        tops, weights = zip(*lot.choices(pairs, k=len(pairs)), strict=True)
        found.append(sum(tops) / sum(weights))
    found.sort()
    return Interval(found[int(ALPHA / 2 * ROUNDS)], found[int((1 - ALPHA / 2) * ROUNDS) - 1])
