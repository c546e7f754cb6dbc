"""One word for a whole report, by rule; and what a reader must be warned of."""

from __future__ import annotations

from enum import StrEnum

from insights.statistics.tables import Interval


class Verdict(StrEnum):
    """What the report says. docs/statistics.md has the rule in words."""

    SUBTITLES_BETTER = "subtitles_better"
    NONE_BETTER = "none_better"
    NO_EVIDENCE = "no_evidence"
    NOT_ENOUGH_DATA = "not_enough_data"
    CONFOUNDED = "confounded"


class Caution(StrEnum):
    """What a reader must know beside the verdict."""

    OBSERVATIONAL = "observational"
    SIMPSON = "simpson"
    HETEROGENEOUS = "heterogeneous"
    SRM = "srm"
    SMALL_SAMPLES = "small_samples"
    ONE_ACCOUNT_DOMINATES = "one_account_dominates"
    LITTLE_OVERLAP = "little_overlap"


#: Crude and adjusted differences further apart than this, or on two sides of 0, warn of Simpson's paradox.
SIMPSON_GAP = 0.02
#: The accounts do not agree.
HETEROGENEOUS_P = 0.01
#: A share of the publications in one account that makes it the report's.
DOMINANT_SHARE = 0.30
#: A share in accounts that have both arms, below which most of the data says nothing of a difference.
OVERLAP_SHARE = 0.50


def is_simpson(crude: float | None, adjusted: float | None) -> bool:
    """Do the totals say something else than the accounts?"""
    if crude is None or adjusted is None:
        return False
    return crude * adjusted < 0 or abs(crude - adjusted) > SIMPSON_GAP


def side(interval: Interval | None) -> int:
    """1 when it lies above 0, -1 when below, 0 when it holds 0 or is not known."""
    if interval is None or not interval.excludes_zero():
        return 0
    return 1 if interval.low > 0 else -1


def verdict_of(
    *, is_enough: bool, crude: Interval | None, adjusted: Interval | None, always_valid: Interval | None,
    is_simpson: bool, is_heterogeneous: bool, sides: frozenset[int],
) -> Verdict:  # fmt: skip
    """The word.

    - too little data: `not_enough_data`;
    - Simpson's warning, and the fixed intervals of the crude and the adjusted difference say different things:
      `confounded`;
    - accounts that do not agree, and that pull to both sides (`sides` of their own intervals) or whose common
      difference is not told from 0: `confounded`, for one number would be nobody's;
    - else the always-valid interval of the adjusted difference decides: it may be looked at every day.
    """
    if not is_enough or always_valid is None:
        return Verdict.NOT_ENOUGH_DATA
    if is_simpson and side(crude) != side(adjusted):
        return Verdict.CONFOUNDED
    if is_heterogeneous and (sides >= {1, -1} or side(adjusted) == 0):
        return Verdict.CONFOUNDED
    return {1: Verdict.SUBTITLES_BETTER, -1: Verdict.NONE_BETTER, 0: Verdict.NO_EVIDENCE}[side(always_valid)]
