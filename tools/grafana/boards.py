"""The two dashboards: everything at a glance, and one account."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import Dashboard, VariableRefresh, VariableSort

from tools.grafana.document import INFINITY, question
from tools.grafana.panels import PROMETHEUS, Board, bars, fact, facts, lines, number, source

OVERVIEW = ("subiteya-overview", "SubiteYa")
ACCOUNT = ("subiteya-account", "SubiteYa: one account")
HANDS = 'sum(subiteya_workers{kind!="scheduler"})'
FAILED = 'status=~"failed|errored"'
RED = "red"
STAGES = ("edit", "upload", "verify")
# fmt: off


def overview() -> Dashboard:
    """Is anything wrong, and where?"""
    board = Board(*OVERVIEW, "Is anything wrong, and where? Rate and errors left, duration right.", ACCOUNT)
    board.built.with_variable(
        dashboard.QueryVariable("endpoint").label("TikTok endpoint").datasource(PROMETHEUS)
        .query("label_values(tiktok_api_requests_total, endpoint)").refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_ASC).multi(True).include_all(True).all_value(".*")
    )
    _now(board)
    _videos(board)
    _workers(board)
    _tiktok(board)
    _stages(board)
    _accounts(board)
    return board.built.build()


def _now(board: Board) -> None:
    board.row("Now")
    board.add(source(), "Answered", "How old are the tables below? The only panel that asks the JSON endpoint.",
              span=4, height=4)
    board.add(number('sum(ALERTS{alertstate="firing"}) or vector(0)', limits={1: RED}), "Alerts firing",
              "Does Prometheus have an alert?", span=4, height=4)
    board.add(number("sum(subiteya_alerts)", limits={1: RED}), "Alerts in the app",
              "Does the application itself have an alert open?", span=4, height=4)
    board.add(number('publish_success_rate{subtitles="all"}', unit="percentunit"), "publish_success_rate",
              "Of the videos that ended in 30 days, how many did TikTok publish?", span=4, height=4)
    board.add(number('sum(subiteya_circuits{state!="closed"})', limits={1: "orange"}), "Accounts paused",
              "How many circuits are not closed?", span=4, height=4)
    board.add(number("tiktok_outage", limits={1: RED}), "TikTok outage", "Are several accounts paused at once?",
              span=4, height=4)


def _videos(board: Board) -> None:
    board.row("Videos")
    board.add(bars("dailyThroughput", "at", "created", "processed", "failed"), "dailyThroughput",
              "Does as much come out each day as goes in?", span=12, height=8)
    board.add(bars("videoStatus", "name", "value"), "videoStatus", "Where do videos pile up?", span=12, height=8)
    board.add(fact("processedLast24h", "value"), "processedLast24h", "How many were published in 24 hours?", span=4)
    board.add(fact("failedLast24h", "value", limits={1: "orange"}), "failedLast24h", "And how many failed?", span=4)
    board.add(bars("jobsByStatus", "name", "value"), "jobsByStatus", "In which state are the jobs?", span=8)
    board.add(facts("processingSeconds", "name", "p50", "p95", "value"), "processingSeconds",
              "How many seconds did each stage take in the last day? `value` is how many were measured.", span=8)
    board.add(lines({"{{result}}": "sum by (result) (increase(videos_total[1h]))"}), "Videos per hour",
              "What became of the videos, hour by hour?", span=12)
    board.add(lines({"{{subtitles}}": "publish_success_rate"}, unit="percentunit"), "publish_success_rate by subtitles",
              "Does a subtitle variant fail more often?", span=12)


def _workers(board: Board) -> None:
    board.row("Workers: utilisation, saturation, errors")
    board.add(lines({
        "active now": "subiteya:active_jobs:sum", "peak of 30 days": "max(active_jobs_peak)",
        "recorded peak": "subiteya:active_jobs:max30d", "workers alive": HANDS,
    }), "active_jobs", "How near is the work to its 30-day peak, and to what the live workers can do at once?", span=12)
    board.add(lines({"busy": f"sum(active_jobs) / clamp_min({HANDS}, 1)"}, unit="percentunit"), "Utilisation",
              "What share of the live workers is busy?", span=12)
    board.add(lines({"{{queue}}": "sum by (queue) (queued_jobs)", "held": "max(held_videos)"}), "Saturation: queued",
              "How much is due and waits?", span=8)
    board.add(lines({"{{queue}}": "max by (queue) (oldest_queued_age_seconds)"}, unit="s"), "Saturation: oldest",
              "For how long has the oldest due job waited?", span=8)
    board.add(lines({
        "{{kind}}": "time() - (worker_heartbeat_timestamp_seconds > 0)",
        "scheduler's round": "time() - (reconciler_last_run_timestamp_seconds > 0)",
    }, unit="s"), "Errors: silence", "For how long has each kind of process been silent?", span=8)


def _tiktok(board: Board) -> None:
    some, interval = 'endpoint=~"$endpoint"', "[$__rate_interval]"
    board.row("TikTok, by endpoint: rate and errors, duration")
    board.add(lines({"{{endpoint}}": f"sum by (endpoint) (rate(tiktok_api_requests_total{{{some}}}{interval}))"},
                    unit="reqps"), "Calls", "How much do we ask of TikTok?", span=8)
    board.add(lines({
        "{{endpoint}} {{reason}}":
            f"sum by (endpoint, reason) (increase(tiktok_api_failures_total{{{some}}}[5m])) > 0",
    }), "tiktok_api_failures_total, 5 minutes", "What does TikTok refuse? More than three at once is an alert.", span=8)
    bucket = f"sum by (endpoint, le) (rate(tiktok_api_request_duration_seconds_bucket{{{some}}}{interval}))"
    board.add(lines({"{{endpoint}} p95": f"histogram_quantile(0.95, {bucket})"}, unit="s"), "Duration",
              "How slow is TikTok?", span=8)


def _stages(board: Board) -> None:
    board.row("Stages and pages: rate and errors, duration")
    board.add(lines({"{{kind}}": "sum by (kind) (increase(subiteya_jobs_finished_total[1h]))"}), "Jobs per hour",
              "How much work ends?", span=8)
    board.add(lines({
        "{{kind}} {{status}}": f"sum by (kind, status) (increase(subiteya_jobs_finished_total{{{FAILED}}}[1h]))",
    }), "Failed jobs per hour", "Which stage fails?", span=8)
    board.add(lines({
        f"{stage} p{share}": f"histogram_quantile(0.{share}, sum by (le) (rate({stage}_duration_seconds_bucket[1h])))"
        for stage in STAGES for share in (50, 95)
    }, unit="s"), "Duration by stage", "How long do the stages take?", span=8)
    board.add(lines({
        "{{status}}": "sum by (status) (rate(django_http_responses_total_by_status_total[$__rate_interval]))",
    }, unit="reqps"), "Pages", "How much is the web application asked, and does it fail?", span=16)
    seconds = "django_http_requests_latency_seconds_by_view_method_bucket"
    board.add(lines({"p95": f"histogram_quantile(0.95, sum by (le) (rate({seconds}[$__rate_interval])))"}, unit="s"),
              "Duration of pages", "How long do people wait?", span=8)


def _accounts(board: Board) -> None:
    board.row("Accounts")
    board.add(facts("accountsWithFailures", "account", "breaker", "hour", "week"), "accountsWithFailures",
              "Which accounts need somebody? Failures of the last hour and week.", span=12, height=9)
    board.add(facts("tokens", "account", "refresh", "access").unit("s"), "tokens: expires_in",
              "Which accounts must be connected again soon? Access tokens are refreshed by themselves.",
              span=12, height=9)
    board.add(facts("recentFailures", "at", "account", "text", "value", "traceId"), "recentFailures",
              "What is stuck, and why? `value` is the video's number, for manage.py trace.", span=16, height=9)
    board.add(facts("topicLeaders", "name", "text", "value"), "topicLeaders", "What does each sector talk about?",
              span=8, height=9)
    earliest = 'tiktok_token_earliest_expiry_timestamp_seconds{token="refresh"}'
    board.add(lines({"first refresh token": f"{earliest} - time()"}, unit="s"), "First refresh token to expire",
              "How long until somebody has to connect an account again?", span=12)
    board.add(lines({"{{state}}": "sum by (state) (increase(subiteya_circuit_transitions_total[1h]))"}),
              "Circuit transitions per hour", "Do accounts flap?", span=12)


def account() -> Dashboard:
    """What is it with this account?"""
    board = Board(*ACCOUNT, "What is it with this account? Read from the monitor's JSON: accounts are no labels.",
                  OVERVIEW)
    names = question("[.tokens[].account, .accountsWithFailures[].account] | unique | map({account: .})",
                     {"account": "string"})
    board.built.with_variable(
        dashboard.QueryVariable("account").label("Account").datasource(INFINITY)
        .query({"queryType": "infinity", "infinityQuery": {"refId": "variable", **names}})
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD).sort(VariableSort.ALPHABETICAL_ASC)
    )
    board.add(source("account"), "Answered", "How old is this? The only panel that asks the JSON endpoint.",
              span=6, height=4)
    board.add(fact("accountsWithFailures", "hour", limits={1: "orange", 3: RED}), "Failures in the last hour",
              "Is it failing now?", span=6, height=4)
    board.add(fact("accountsWithFailures", "week", limits={1: "orange"}), "Failures in 7 days", "Has it been failing?",
              span=6, height=4)
    board.add(facts("accountsWithFailures", "breaker"), "Circuit", "Does it take uploads? Empty: yes, always did.",
              span=6, height=4)
    board.add(facts("tokens", "access", "refresh").unit("s"), "expires_in", "When must it be connected again?",
              span=12, height=5)
    expiry = 'tiktok_token_expiry_timestamp_seconds{account="$account"}'
    board.add(lines({"{{token}}": f"{expiry} - time()"}, unit="s"), "Tokens over time",
              "Are its access tokens refreshed? Absent with more than 500 accounts.", span=12, height=5)
    board.add(facts("recentFailures", "at", "text", "name", "value", "traceId"), "recentFailures",
              "What is stuck, and why?", span=24, height=10)
    return board.built.build()
