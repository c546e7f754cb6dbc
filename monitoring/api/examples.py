"""What the monitor answers, for the reader of the API's description."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

DOCUMENT = OpenApiExample(
    "A quiet afternoon",
    value={
        "schemaVersion": 1,
        "generatedAt": "2026-11-23T18:00:00.000Z",
        "videoStatus": {"uploading": 2, "posted": 1840, "failed_upload": 1},
        "jobsByStatus": {"running": 3, "succeeded": 3679, "failed": 1},
        "jobsByType": {"edit": 1843, "upload": 1840},
        "dailyThroughput": [{"day": "2026-11-23", "created": 61, "processed": 58, "failed": 1}],
        "accountsWithFailures": [
            {
                "account": "panaderia",
                "failures7d": 4,
                "failuresLastHour": 1,
                "countedLastHour": 3,
                "breaker": "open",
            }
        ],
        "recentFailures": [
            {
                "video": 1843,
                "account": "panaderia",
                "status": "failed_upload",
                "cause": "unavailable",
                "sentence": "TikTok no responde.",
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                "when": "2026-11-23T17:52:10.120Z",
            }
        ],
        "topicLeaders": {
            "Gastronomía": [
                {
                    "topic": "panaderia",
                    "hashtag": "panadería",
                    "videos": 12,
                    "accounts": 3,
                    "counted": 9,
                    "aboveMedian": 6,
                    "lastDay": "2026-11-22",
                }
            ],
        },
        "processedLast24h": 58,
        "failedLast24h": 1,
        "averageProcessingSeconds": 74.2,
        "processingSeconds": {
            "edit": {"count": 59, "average": 31.0, "p50": 24.5, "p95": 80.1},
            "upload": {"count": 59, "average": 12.4, "p50": 9.8, "p95": 31.7},
            "verify": {"count": 58, "average": 30.1, "p50": 28.0, "p95": 61.0},
            "total": {"count": 58, "average": 74.2, "p50": 63.3, "p95": 180.9},
        },
        "publish_success_rate": {
            "overall": {"rate": 0.97, "published": 1784, "ended": 1839},
            "bySubtitles": {"auto": {"rate": 0.98, "published": 940, "ended": 959}},
        },
        "active_jobs": {"now": 3, "peak30d": 8, "share": 0.375, "capacity": 4},
        "runtime": {
            "counters": {
                "tiktok_api_failures_total": {
                    "total": 7.0,
                    "series": [{"endpoint": "upload", "reason": "unavailable", "value": 7.0}],
                }
            },
            "queued_jobs": {"edit": 0, "upload": 1},
            "workers": {"edit": 1, "upload": 2, "host": 1, "scheduler": 1},
            "circuits": {"closed": 11, "open": 1, "half_open": 0, "isolated": 0},
            "tiktok_outage": False,
        },
        "tokens": [{"account": "panaderia", "expires_in": {"access": 80100, "refresh": 25920000}}],
    },
    response_only=True,
    status_codes=["200"],
)


def problem(name: str, sentence: str, status: int) -> OpenApiExample:
    """A refusal, as every one of them looks."""
    return OpenApiExample(name, value={"detail": sentence}, response_only=True, status_codes=[str(status)])


PROBLEMS = [
    problem("Nobody", "Authentication credentials were not provided.", 401),
    problem("A community manager", "Only administrators with a second factor, or a program with a key…", 403),
    problem("The 31st request", "Request was throttled. Expected available in 24 seconds.", 429),
]
