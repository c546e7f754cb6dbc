"""The monitor's JSON as one flat table, so that all panels of a dashboard share one request.

The endpoint answers 30 requests a minute, and Infinity asks once per query. So one panel per dashboard asks, with a
JQ program that makes a row of every fact, and the others read its answer and keep their `section`.
"""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DataTransformerConfig, MatcherConfig

INFINITY = DataSourceRef(type_val="yesoreyeram-infinity-datasource", uid="subiteya-json")
SHARED = DataSourceRef(type_val="datasource", uid="-- Dashboard --")
ADDRESS = "/api/monitor/metrics?days=30"


@dataclass(frozen=True)
class Section:
    """A part of the document: from what is at the key `path`, `rows` makes objects of COLUMNS."""

    path: str
    rows: str

    @property
    def program(self) -> str:
        return f'(.{self.path} | {self.rows} | . + {{section: "{self.path}"}})'


#: Every column of the flat table and its type.
COLUMNS = {
    "section": "string", "account": "string", "name": "string", "text": "string", "at": "timestamp",
    "value": "number", "created": "number", "processed": "number", "failed": "number", "p50": "number",
    "p95": "number", "week": "number", "hour": "number", "breaker": "string", "traceId": "string",
    "access": "number", "refresh": "number",
}  # fmt: skip
_PAIRS = "to_entries[] | {name: .key, value: .value}"
SECTIONS = (
    Section("generatedAt", "{at: .}"),
    Section("videoStatus", _PAIRS),
    Section("jobsByStatus", _PAIRS),
    Section("dailyThroughput", ".[] | {at: .day, created, processed, failed}"),
    Section("accountsWithFailures", ".[] | {account, week: .failures7d, hour: .failuresLastHour, breaker}"),
    Section("recentFailures", ".[] | {at: .when, account, name: .cause, text: .sentence, value: .video, traceId}"),
    Section("topicLeaders", "to_entries[] | .key as $s | .value[] | {name: $s, text: .hashtag, value: .videos}"),
    Section("processedLast24h", "{value: .}"),
    Section("failedLast24h", "{value: .}"),
    Section("processingSeconds", "to_entries[] | {name: .key, p50: .value.p50, p95: .value.p95, value: .value.count}"),
    Section("tokens", ".[] | {account, access: .expires_in.access, refresh: .expires_in.refresh}"),
)


class Document(Builder[Dataquery], Dataquery):
    """Infinity's query for the whole document, narrowed to one account's rows when `account` names a variable."""

    def __init__(self, account: str = "") -> None:
        keep = f' | select(.account == "${{{account}}}" or .section == "generatedAt")' if account else ""
        self.program = f"[({', '.join(section.program for section in SECTIONS)}){keep}]"

    def build(self) -> Document:
        return self

    def to_json(self) -> dict[str, object]:
        return {"refId": "A", "datasource": INFINITY, **question(self.program, COLUMNS)}


class Shared(Builder[Dataquery], Dataquery):
    """What panel `panel` was answered, before its own transformations."""

    def __init__(self, panel: int) -> None:
        self.panel = panel

    def build(self) -> Shared:
        return self

    def to_json(self) -> dict[str, object]:
        return {"refId": "A", "datasource": SHARED, "panelId": self.panel, "withTransforms": False}


def question(program: str, columns: dict[str, str]) -> dict[str, object]:
    """One request to the endpoint, read by the backend's JQ, so that alerts could use it as well."""
    return {
        "type": "json", "source": "url", "format": "table", "parser": "jq-backend", "url": ADDRESS,
        "url_options": {"method": "GET", "data": ""}, "root_selector": program,
        "columns": [{"selector": name, "text": name, "type": kind} for name, kind in columns.items()],
        "filters": [],
    }  # fmt: skip


def only(section: str, *columns: str) -> list[DataTransformerConfig]:
    """Keep the rows of one section, and of them `columns`."""
    if section not in {known.path for known in SECTIONS} or not {*columns} <= COLUMNS.keys():
        raise ValueError(f"The flat table has no {section} with {columns}.")
    matcher = MatcherConfig(id_val="equal", options={"value": section})
    kept = {"filters": [{"fieldName": "section", "config": matcher}], "type": "include", "match": "all"}
    return [
        DataTransformerConfig(id_val="filterByValue", options=kept),
        DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": list(columns)}}),
    ]
