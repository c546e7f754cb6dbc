"""Counts: one arm, one stratum (an account) with both arms, and an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: Confidence of every interval, unless told: 95 %.
ALPHA = 0.05


@dataclass(frozen=True)
class Arm:
    """`x` successes in `n` trials."""

    x: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.x <= self.n:
            raise ValueError(f"{self.x} successes in {self.n} trials")

    @property
    def rate(self) -> float | None:
        return self.x / self.n if self.n else None

    @property
    def failures(self) -> int:
        return self.n - self.x

    def __add__(self, other: Arm) -> Arm:
        return Arm(self.x + other.x, self.n + other.n)


@dataclass(frozen=True)
class Stratum:
    """Both arms where all else is alike: those of one account."""

    name: str
    auto: Arm
    none: Arm

    @property
    def n(self) -> int:
        return self.auto.n + self.none.n

    @property
    def is_informative(self) -> bool:
        """Do both arms and both outcomes occur? Else it says nothing of an odds ratio."""
        successes = self.auto.x + self.none.x
        return bool(self.auto.n and self.none.n) and 0 < successes < self.n


@dataclass(frozen=True)
class Interval:
    low: float
    high: float

    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def pooled(strata: Iterable[Stratum], name: str = "") -> Stratum:
    """All strata as if they were one."""
    auto, none = Arm(0, 0), Arm(0, 0)
    for stratum in strata:
        auto, none = auto + stratum.auto, none + stratum.none
    return Stratum(name, auto, none)
