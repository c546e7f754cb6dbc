"""The reports' figures as files for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from insights.selectors.topics import Leader
from insights.statistics.sheets import COLUMNS
from insights.statistics.tables import Stratum
from subiteya.lib.spreadsheets import sheet

LEADER_COLUMNS = ("sector", "hashtag", "videos", "accounts", "counted", "above_median", "last_day")


def strata_sheet(strata: Iterable[Stratum]) -> str:
    """The file that `insights.statistics.sheets.strata_read` reads, which takes an added apostrophe away again."""
    rows = [
        (stratum.name, arm, counts.x, counts.failures)
        for stratum in strata
        for arm, counts in (("auto", stratum.auto), ("none", stratum.none))
    ]
    return sheet(COLUMNS, rows, line_end="\n")


def leaders_sheet(leaders: Mapping[str, Sequence[Leader]]) -> str:
    """Every topic of each sector."""
    rows = [
        (sector, f"#{one.hashtag}", one.videos, one.accounts, one.counted, one.hits, one.last_day.isoformat())
        for sector, those in leaders.items()
        for one in those
    ]
    return sheet(LEADER_COLUMNS, rows)
