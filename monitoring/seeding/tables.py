"""The tables that are filled, and the columns of each: those that vary, in the order of a row, and those that do not.

Columns that are named nowhere here get their default from the database, or stay empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from insights.models import CountSnapshot, Publication, PublicationTopic, TopicDay
from monitoring.models import DailyPeak, TikTokFailure
from publishing.models import (
    AccountCircuit,
    Batch,
    CircuitEvent,
    Job,
    JobEvent,
    SubtitleDraw,
    TikTokOutage,
    UploadSession,
    Video,
    VideoEvent,
)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """Rows are tuples in the order of `columns`; text must be without tabs, line ends and backslashes."""

    model: type[Model]
    columns: tuple[str, ...]
    fixed: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.model._meta.db_table


BATCHES = Table(
    Batch, ("id", "created_by_id", "source_id", "caption", "subtitles", "track_id", "submission_key", "trace_id",
            "created_at"),
)  # fmt: skip
VIDEOS = Table(
    Video, ("id", "batch_id", "account_id", "status", "mode", "caption", "privacy_level", "subtitle_variant",
            "subtitle_assignment", "approval_due", "scheduled_at", "time_zone", "edited_id", "reason_code",
            "reason_detail", "resume_at", "tiktok_status", "post_id", "post_url", "posted_at", "trace_id",
            "created_at", "updated_at"),
    {"disable_comment": 0, "disable_duet": 1, "disable_stitch": 1, "brand_content_toggle": 0,
     "brand_organic_toggle": 1, "is_aigc": 0, "cover_timestamp_ms": 0, "traceparent": ""},
)  # fmt: skip
EVENTS = Table(VideoEvent, ("id", "video_id", "old", "new", "code", "detail", "actor_id", "at", "trace_id"))
JOBS = Table(
    Job, ("id", "video_id", "kind", "status", "attempt", "fence", "owner", "host", "lease_until", "run_at",
          "belled_at", "step", "progress", "render_key", "poll_count", "reason_code", "trace_id", "created_at",
          "started_at", "finished_at"),
    {"crash_count": 0, "prefer_host": "", "reason_detail": "{}", "traceback": "", "traceparent": ""},
)  # fmt: skip
JOB_EVENTS = Table(JobEvent, ("id", "job_id", "old", "new", "code", "owner", "fence", "at", "trace_id"))
UPLOADS = Table(
    UploadSession, ("id", "video_id", "account_id", "job_id", "asset_id", "state", "publish_id", "upload_url",
                    "url_expires_at", "video_size", "chunk_size", "total_chunk_count", "uploaded_bytes",
                    "source_sha256", "tiktok_status", "fail_reason", "init_at", "sent_at", "settled_at"),
    {"log_id": ""},
)  # fmt: skip
DRAWS = Table(SubtitleDraw, ("id", "account_id", "position", "video_id", "variant", "at"))
CIRCUIT_EVENTS = Table(
    CircuitEvent, ("id", "account_id", "kind", "old", "new", "code", "failure_class", "counted", "video_id", "job_id",
                   "attempt", "token", "open_until", "at", "trace_id"),
    {"reason": ""},
)  # fmt: skip
CIRCUITS = Table(
    AccountCircuit, ("account_id", "state", "opened_at", "open_until", "closed_at", "probe_token", "last_failure_at",
                     "last_failure_code"),
    {"level": 0, "probe_owner": "", "isolated_code": "", "isolated_reason": ""},
)  # fmt: skip
OUTAGES = Table(TikTokOutage, ("id", "opened_at", "closed_at", "accounts"))
FAILURES = Table(
    TikTokFailure, ("id", "at", "endpoint", "reason", "code", "status", "seconds", "account_id", "log_id", "trace_id"),
)  # fmt: skip
PEAKS = Table(DailyPeak, ("day", "active_jobs"))
PUBLICATIONS = Table(
    Publication, ("video_id", "account_id", "sector_id", "arm", "assignment", "due_at", "outcome", "has_failed",
                  "posted_at", "views", "likes", "comments", "shares", "counted_at", "next_count_at", "settled_views",
                  "median_views", "is_hit"),
)  # fmt: skip
SNAPSHOTS = Table(CountSnapshot, ("id", "publication_id", "taken_at", "views", "likes", "comments", "shares"))
USES = Table(PublicationTopic, ("id", "publication_id", "topic_id", "hashtag"))
TOPIC_DAYS = Table(
    TopicDay,
    (
        "id", "day", "account_id", "sector_id", "topic_id", "videos", "counted", "hits", "summed_videos",
        "summed_counted", "summed_hits",
    ),
)  # fmt: skip

#: What is referred to comes before what refers to it.
TABLES = (
    BATCHES, VIDEOS, EVENTS, JOBS, JOB_EVENTS, UPLOADS, DRAWS, CIRCUIT_EVENTS, CIRCUITS, OUTAGES, FAILURES, PEAKS,
    PUBLICATIONS, SNAPSHOTS, USES, TOPIC_DAYS,
)  # fmt: skip
