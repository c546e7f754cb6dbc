"""How often would the report be wrong if subtitles did nothing? Many experiments, looked at again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from insights.statistics.proportions import newcombe, standard_error
from insights.statistics.sequential import always_valid
from insights.statistics.tables import Arm


@dataclass(frozen=True)
class FalsePositives:
    """The share of experiments without an effect that showed one at some look."""

    fixed: float
    always_valid: float


def aa_false_positives(successes: Callable[[int], int], *, runs: int, per_arm: int, looks: int) -> FalsePositives:
    """Run experiments whose arms are alike; `successes(n)` draws how many of n publications come out."""
    fixed = anytime = 0
    for _run in range(runs):
        by_fixed, by_anytime = _one(successes, per_arm, looks)
        fixed += by_fixed
        anytime += by_anytime
    return FalsePositives(fixed / runs, anytime / runs)


def _one(successes: Callable[[int], int], per_arm: int, looks: int) -> tuple[bool, bool]:
    step = per_arm // looks
    auto = none = Arm(0, 0)
    by_fixed = by_anytime = False
    for _look in range(looks):
        auto, none = auto + Arm(successes(step), step), none + Arm(successes(step), step)
        fixed = newcombe(auto, none)
        by_fixed = by_fixed or (fixed is not None and fixed.excludes_zero())
        error = standard_error(auto, none)
        if error and auto.rate is not None and none.rate is not None:
            seen = always_valid(auto.rate - none.rate, error=error, n=auto.n + none.n)
            by_anytime = by_anytime or seen.excludes_zero()
    return by_fixed, by_anytime
