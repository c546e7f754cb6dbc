"""The kinds of panel that the dashboards are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import barchart, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import BigValueGraphMode, StackingMode
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, Threshold

from tools.grafana.document import INFINITY, SHARED, Document, Shared, only

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="subiteya-prometheus")
#: The panel that asks the JSON endpoint; the others read its answer.
SOURCE = 1
P = TypeVar("P", bound=Any)


class Board:
    """A dashboard that numbers its panels by their place. `link`: the uid and title of the other one."""

    def __init__(self, uid: str, title: str, about: str, link: tuple[str, str]) -> None:
        to = dashboard.DashboardLink(link[1]).url(f"/d/{link[0]}").keep_time(True)
        self.built = (
            dashboard.Dashboard(title).uid(uid).description(about).tags(["subiteya"]).readonly().link(to)
            .time("now-24h", "now").refresh("1m").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)
        )  # fmt: skip
        self._next, self._rows = SOURCE, 1000

    def row(self, title: str) -> None:
        self._rows += 1
        self.built.with_row(dashboard.Row(title).id(self._rows))

    def add(self, panel: Any, title: str, about: str, *, span: int, height: int = 7) -> None:
        """`about` is the question that the panel answers."""
        self.built.with_panel(panel.id(self._next).title(title).description(about).span(span).height(height))
        self._next += 1


def _asked(panel: P, queries: Mapping[str, str], *, instant: bool = False) -> P:
    """`queries`: legend → expression."""
    for number, (legend, expression) in enumerate(queries.items()):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number))
        panel = panel.with_target(query.instant() if instant else query.range())
    return panel.datasource(PROMETHEUS)


def lines(queries: Mapping[str, str], *, unit: str = "short", stacked: bool = False) -> timeseries.Panel:
    panel = _asked(timeseries.Panel(), queries).unit(unit).min(0).line_width(2).fill_opacity(25 if stacked else 5)
    mode = StackingMode.NORMAL if stacked else StackingMode.NONE
    return panel.stacking(common.StackingConfig().mode(mode))


def number(query: str, *, unit: str = "short", limits: Mapping[float, str] | None = None) -> stat.Panel:
    """The latest value. `limits`: from which value on it has which colour; below the first it is green."""
    panel = _asked(stat.Panel(), {"__auto": query}, instant=True).unit(unit).no_value("—")
    return panel.graph_mode(BigValueGraphMode.NONE).thresholds(_limits(limits or {}))


def _limits(limits: Mapping[float, str], below: str = "green") -> Builder[Any]:
    steps = [Threshold(None, below), *(Threshold(value, color) for value, color in limits.items())]
    return dashboard.ThresholdsConfig().steps(steps)


def source(account: str = "") -> stat.Panel:
    """The one panel of a dashboard that asks the JSON endpoint; it shows when that answered."""
    panel = stat.Panel().datasource(INFINITY).with_target(Document(account)).unit("dateTimeFromNow")
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/^at$/"))
    return panel.transformations(only("generatedAt", "at")).graph_mode(BigValueGraphMode.NONE)


def facts(section: str, *columns: str) -> table.Panel:
    """A part of the document, a row per fact."""
    return _shared(table.Panel(), section, *columns)


def bars(section: str, x: str, *columns: str, stacked: bool = False) -> barchart.Panel:
    """A part of the document as bars over `x`."""
    panel = _shared(barchart.Panel(), section, x, *columns).x_field(x)
    return panel.stacking(StackingMode.NORMAL if stacked else StackingMode.NONE)


def fact(section: str, column: str, *, unit: str = "short", limits: Mapping[float, str] | None = None) -> stat.Panel:
    """One value of the document."""
    panel = _shared(stat.Panel(), section, column).unit(unit).no_value("0").thresholds(_limits(limits or {}))
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields(f"/^{column}$/"))
    return panel.graph_mode(BigValueGraphMode.NONE)


def _shared(panel: P, section: str, *columns: str) -> P:
    return panel.datasource(SHARED).with_target(Shared(SOURCE)).transformations(only(section, *columns))
