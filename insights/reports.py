"""The subtitle report as a whole: the numbers of a filter, or of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from insights.selectors.subtitles import Excluded, Filters, excluded, grown, view_strata
from insights.statistics.growth import Point
from insights.statistics.report import ABReport, ab_report
from insights.statistics.resampling import LeftOut
from insights.statistics.strata import RiskDifference, risk_difference
from insights.statistics.tables import Interval, Stratum
from insights.statistics.views import ViewsReport, views_report

#: Accounts that a page shows, the largest; all of them are in the file.
MOST_ROWS = 25


@dataclass(frozen=True, kw_only=True)
class SubtitleReport:
    """`main` is publish_success_rate by account; `weekly` the same by account and week; `views` the second outcome."""

    main: ABReport
    weekly: ABReport
    views: ViewsReport
    excluded: dict[str, Excluded]
    strata: Sequence[Stratum]

    def as_json(self) -> dict[str, Any]:
        """The document of `manage.py subtitles_ab --json`: that of `main`, and what is beside it."""
        weekly = self.weekly.as_json()
        return {
            **self.main.as_json(),
            "by_account_and_week": {name: weekly[name] for name in ("adjusted", "homogeneity", "always_valid")},
            "excluded": {
                arm: {"in_flight": left.in_flight, "cancelled": left.cancelled}
                for arm, left in self.excluded.items()
            },
            "views": self.views.as_json(),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the page says of a filter: with the MOST_ROWS largest accounts, and how many there are.

    `weekly` is the difference by account and week.
    """

    main: ABReport
    left_out: LeftOut | None
    bootstrap: Interval | None
    weekly: RiskDifference | None
    views: ViewsReport
    excluded: dict[str, Excluded]
    accounts: int
    informative: int
    views_accounts: int
    course: list[Point]

    @property
    def weekly_interval(self) -> Interval | None:
        return self.weekly.interval() if self.weekly else None


def subtitle_report(filters: Filters) -> SubtitleReport:
    """A fixed number of queries, whatever the number of publications."""
    growth = grown(filters)
    return SubtitleReport(
        main=ab_report(growth.strata, randomised=filters.randomised),
        weekly=ab_report(growth.weekly, randomised=filters.randomised),
        views=views_report(view_strata(filters), randomised=filters.randomised),
        excluded=excluded(filters),
        strata=growth.strata,
    )


def subtitles_shown(filters: Filters) -> Shown:
    """The same for the page."""
    growth = grown(filters)
    main = ab_report(growth.strata, randomised=filters.randomised)
    views = views_report(view_strata(filters), randomised=filters.randomised)
    return Shown(
        main=replace(main, strata=main.strata[:MOST_ROWS]),
        left_out=main.left_out,
        bootstrap=main.bootstrap,
        weekly=risk_difference(growth.weekly),
        views=replace(views, strata=views.strata[:MOST_ROWS]),
        excluded=excluded(filters),
        accounts=len(main.strata),
        informative=sum(row.stratum.is_informative for row in main.strata),
        views_accounts=len(views.strata),
        course=growth.course,
    )
