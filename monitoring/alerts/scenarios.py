"""Stories for `promtool test rules`: what Prometheus sees at each scrape, and which alerts must be firing when.

Evaluations (each 13 s) fall between scrapes (each 15 s): at the same seconds, `increase` would not extrapolate, and
three failures would hide that they can look like 3.16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.alerts.limits import NEEDED_WORKERS

Labels = dict[str, str]

EVALUATION_SECONDS = 13
#: The stories that take days are looked at each so many seconds.
SLOW_SECONDS = 240
_SITE = "https://subiteya.example.com"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`series`: name with labels → values in promtool's notation, one each `scrape`.

    `firing`: (moment, alert) → the labels of each that fires, beside its name and severity.
    """

    name: str
    series: dict[str, str]
    firing: dict[tuple[str, str], list[Labels]]
    severity: str = "page"
    scrape: str = "15s"
    slow: bool = False

    def document(self) -> dict[str, Any]:
        """The scenario as an item of promtool's `tests`."""
        return {
            "name": self.name,
            "interval": self.scrape,
            "external_labels": {"site": _SITE},
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "promql_expr_test": [self._check(*key, labels) for key, labels in self.firing.items()],
        }

    def _check(self, moment: str, alert: str, firing: list[Labels]) -> dict[str, Any]:
        name = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
        return {"expr": name, "eval_time": moment, "exp_samples": [self._sample(alert, labels) for labels in firing]}

    def _sample(self, alert: str, labels: Labels) -> dict[str, Any]:
        every = {"alertname": alert, "alertstate": "firing", "severity": self.severity, **labels}
        pairs = ",".join(f'{name}="{value}"' for name, value in sorted(every.items()))
        return {"labels": f"ALERTS{{{pairs}}}", "value": 1}


_BURST, _PEAK, _TOKEN = "TikTokApiFailuresBurst", "ActiveJobsNearPeak", "TikTokTokenExpiresSoon"
_FAST, _SLOW, _LONG = "PublishSuccessBurnsFast", "PublishSuccessBurnsSlow", "PublishSuccessBelowTarget"
_INIT = 'tiktok_api_failures_total{endpoint="init",reason="unavailable"}'
_CHUNK = 'tiktok_api_failures_total{endpoint="chunk",reason="network"}'
_EDIT, _UPLOAD = 'active_jobs{queue="edit"}', 'active_jobs{queue="upload"}'
_POSTED, _FAILED = 'videos_total{result="posted"}', 'videos_total{result="failed_upload"}'
_ALIVE = {f'subiteya_workers{{kind="{kind}"}}': "1x40" for kind in NEEDED_WORKERS}
_YES: list[Labels] = [{}]
_NO: list[Labels] = []

SCENARIOS = (
    Scenario(
        name="three failures are not four, at whatever second one looks",
        series={_INIT: "0x10 1 2 3x80"},
        firing={(moment, _BURST): _NO for moment in ("3m1s", "3m14s", "4m7s", "5m33s", "7m17s", "9m59s")},
    ),
    Scenario(
        name="four failures fire, and resolve when they are five minutes old",
        series={_INIT: "0x10 1 2 3 4x80"},
        firing={("3m1s", _BURST): _NO, ("3m47s", _BURST): _YES, ("6m51s", _BURST): _YES, ("9m13s", _BURST): _NO},
    ),
    Scenario(
        name="four failures in four series are four",
        series={_INIT: "0x10 1 2x80", _CHUNK: "0x12 1 2x80"},
        firing={("2m40s", _BURST): _NO, ("4m1s", _BURST): _YES},
    ),
    Scenario(
        name="four failures that lie further apart than five minutes do not fire",
        series={_INIT: "0x10 1x9 2x9 3x9 4x40"},
        firing={(moment, _BURST): _NO for moment in ("6m7s", "8m59s", "10m29s", "12m41s")},
    ),
    Scenario(
        name="a counter that begins again is no failure, and hides none",
        series={_INIT: "12x10 0x10 0 1 2 3x60"},
        firing={("4m3s", _BURST): _NO, ("6m11s", _BURST): _NO, ("9m7s", _BURST): _NO},
    ),
    Scenario(
        name="a counter that begins again in the middle of a burst",
        series={_INIT: "12x10 13 14 1 2x60"},
        firing={("2m49s", _BURST): _NO, ("4m11s", _BURST): _YES},
    ),
    Scenario(
        name="a series that is there at 0 from the start shows its first four",
        series={_INIT: "0x10 4x60"},
        firing={("3m1s", _BURST): _YES},
    ),
    Scenario(
        name="lost scrapes do not make four of three",
        series={_INIT: "0x9 _ 0 1 2 3x8 _ _ 3x60"},
        firing={(moment, _BURST): _NO for moment in ("3m29s", "5m13s", "7m1s", "8m13s")},
    ),
    Scenario(
        name="a quiet system does not fire at its first jobs",
        series={_EDIT: "0x40 1x40 4x40", _UPLOAD: "0x160"},
        firing={("15m7s", _PEAK): _NO, ("29m3s", _PEAK): _NO}, severity="ticket",
    ),
    Scenario(
        name="more than four of a peak of at most five fire, after five minutes",
        series={_EDIT: "0x40 3x80", _UPLOAD: "0x40 2x80"},
        firing={("10m40s", _PEAK): _NO, ("14m50s", _PEAK): _NO, ("16m20s", _PEAK): _YES}, severity="ticket",
    ),
    Scenario(
        name="a new peak is not its own history, and what is below 80 % of the old one is nothing",
        series={_EDIT: "10x60 8x60 9x60 30x60", _UPLOAD: "0x240"}, severity="ticket",
        firing={("24m59s", _PEAK): _NO, ("37m7s", _PEAK): _YES, ("52m1s", _PEAK): _YES},
    ),
    Scenario(
        name="the sum of the maxima is not the maximum of the sum",
        series={_EDIT: "8x60 0x60 7x60", _UPLOAD: "0x60 8x60 0x60"}, severity="ticket",
        firing={("44m1s", _PEAK): _YES},
    ),
    Scenario(
        name="a peak of a week ago still counts",
        series={_EDIT: "20x4 2x2012 17x40", _UPLOAD: "0x2060"}, severity="ticket", scrape="5m", slow=True,
        firing={("7d1h", _PEAK): _YES, ("6d", _PEAK): _NO},
    ),
    Scenario(
        name="access tokens refresh by themselves, refresh tokens need a person",
        series={
            'tiktok_token_expiry_timestamp_seconds{account="luna",token="access"}': "3600x40",
            'tiktok_token_expiry_timestamp_seconds{account="luna",token="refresh"}': "9000000x40",
            'tiktok_token_expiry_timestamp_seconds{account="sol",token="refresh"}': "172900x40",
            'tiktok_token_earliest_expiry_timestamp_seconds{token="refresh"}': "172900x40",
        },
        firing={("1m1s", _TOKEN): _NO, ("5m1s", _TOKEN): [{"account": "sol", "token": "refresh"}]},
        severity="ticket",
    ),
    Scenario(
        name="of too many accounts only the earliest is known",
        series={'tiktok_token_earliest_expiry_timestamp_seconds{token="refresh"}': "172900x40"},
        firing={("1m1s", _TOKEN): _NO, ("5m1s", _TOKEN): [{"token": "refresh"}]}, severity="ticket",
    ),
    Scenario(
        name="paused and set apart accounts, closed ones not",
        series={
            'subiteya_circuits{state="closed"}': "6x40", 'subiteya_circuits{state="open"}': "0x10 1x4 0x30",
            'subiteya_circuits{state="half_open"}': "0x15 1x4 0x30", 'subiteya_circuits{state="isolated"}': "0x40",
        },
        firing={("2m1s", "CircuitOpen"): _NO, ("3m1s", "CircuitOpen"): _YES, ("4m2s", "CircuitOpen"): _YES,
                ("7m1s", "CircuitOpen"): _NO},
        severity="ticket",
    ),
    Scenario(
        name="an outage, an old job, a lost verdict",
        series={
            "tiktok_outage": "0x10 1x30", 'oldest_queued_age_seconds{queue="edit"}': "0x60",
            'oldest_queued_age_seconds{queue="upload"}': "700+15x60",
        },
        firing={("2m1s", "TikTokOutage"): _NO, ("3m1s", "TikTokOutage"): _YES, ("4m51s", "OldestQueuedTooOld"): _NO,
                ("6m1s", "OldestQueuedTooOld"): [{"queue": "upload"}]},
    ),
    Scenario(
        name="videos without a verdict", severity="ticket",
        series={'subiteya_videos{status="unconfirmed"}': "0x10 2x30", 'subiteya_videos{status="posted"}': "9x40"},
        firing={("2m1s", "VideosUnconfirmed"): _NO, ("3m1s", "VideosUnconfirmed"): [{"status": "unconfirmed"}]},
    ),
    Scenario(
        name="a kind of worker that is gone for two minutes, and one that only starts again",
        series={**_ALIVE, 'subiteya_workers{kind="edit"}': "1x10 0x30", 'subiteya_workers{kind="upload"}':
                "1x10 0x4 1x30", 'subiteya_workers{kind="host"}': "0x40"},
        firing={("4m1s", "WorkerMissing"): _NO, ("6m1s", "WorkerMissing"): [{"kind": "edit"}]},
    ),
    Scenario(
        name="a scheduler that stops", series={"reconciler_last_run_timestamp_seconds": "0+15x10 150x40"},
        firing={("3m1s", "ReconcilerStalled"): _NO, ("4m1s", "ReconcilerStalled"): _NO,
                ("5m1s", "ReconcilerStalled"): _YES},
    ),
    Scenario(
        name="metrics that stay away for two minutes", series={'subiteya_build_info{version="1"}': "1x10 _x30 1x20"},
        firing={("4m", "SubiteYaMetricsAbsent"): _NO, ("9m59s", "SubiteYaMetricsAbsent"): _YES,
                ("11m7s", "SubiteYaMetricsAbsent"): _NO},
    ),
    Scenario(
        name="ten videos of which nine failed burn fast; nine say nothing",
        series={_POSTED: "0x40 1x400", _FAILED: "0x40 1x9 8x9 8x9 9x400"},
        firing={("14m31s", _FAST): _NO, ("18m40s", _FAST): _YES},
    ),
    Scenario(
        name="what failed an hour ago does not burn any more",
        series={_POSTED: "0x40 0x40 5x400", _FAILED: "0x10 20x400"},
        firing={("4m1s", _FAST): _YES, ("30m1s", _FAST): _NO},
    ),
    Scenario(
        name="a third of six hours fails", scrape="1m", slow=True,
        series={_POSTED: "0x30 0+1x400", _FAILED: "0x30 0+0.5x400"},
        firing={("5h", _SLOW): _YES, ("5h", _FAST): _NO},
    ),
    Scenario(
        name="one of ten fails for days", scrape="5m", slow=True, severity="ticket",
        series={_POSTED: "0+0.9x900", _FAILED: "0+0.1x900"},
        firing={("2d", _LONG): _YES, ("2d", _SLOW): _NO},
    ),
    Scenario(
        name="one of fifty is allowed", scrape="5m", slow=True, severity="ticket",
        series={_POSTED: "0+0.98x900", _FAILED: "0+0.02x900"},
        firing={("2d", _LONG): _NO},
    ),
)  # fmt: skip
