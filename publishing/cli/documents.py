"""Rows as JSON documents, in the names that scripts rely on (docs/cli.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from publishing.causes import advice, sentence
from publishing.models import Asset, Batch, UploadSession, Video
from publishing.selectors.videos import video_progress


def batch_document(batch: Batch, videos: list[Video], *, duplicate: bool) -> dict[str, Any]:
    """What `publish` answers; `duplicate`: the file's content was already in the store."""
    return {
        "batch": batch.pk,
        "traceId": batch.trace_id,
        "asset": asset_document(batch.source) | {"duplicate": duplicate},
        "videos": [video_document(video) for video in videos],
    }


def asset_document(asset: Asset) -> dict[str, Any]:
    """`size` in bytes, `durationMs` 0 while it has not been checked."""
    return {
        "id": asset.pk,
        "name": asset.original_name,
        "sha256": asset.sha256,
        "size": asset.size,
        "durationMs": asset.duration_ms,
    }


def video_document(video: Video) -> dict[str, Any]:
    """One video; times in UTC, absent values null. `video` comes from `publishing.selectors`."""
    session = last_session(video)
    return {
        "id": video.pk,
        "batch": video.batch_id,
        "account": str(video.account),
        "status": str(video.status),
        "family": str(video.family),
        "mode": str(video.mode),
        "privacyLevel": video.privacy_level or None,
        "subtitles": str(video.subtitle_variant),
        "subtitlesBy": str(video.subtitle_assignment),
        "caption": video.caption,
        "createdAt": _time(video.created_at),
        "scheduledAt": _time(video.scheduled_at),
        "timeZone": video.time_zone,
        "postedAt": _time(video.posted_at),
        "progress": _progress(video),
        "reason": _reason(video),
        "post": {"id": video.post_id or None, "url": video.post_url} if video.post_url else None,
        "editedSha256": video.edited.sha256 if video.edited else None,
        "publishId": (session.publish_id or None) if session else None,
        "tiktokStatus": video.tiktok_status or None,
        "traceId": video.trace_id,
    }


def last_session(video: Video) -> UploadSession | None:
    """The newest upload of a video that was read with its sessions."""
    sessions: list[UploadSession] = getattr(video, "sessions", None) or []
    return sessions[-1] if sessions else None


def _progress(video: Video) -> dict[str, Any]:
    progress = video_progress(video)
    return {
        "label": progress.label,
        "percent": progress.percent,
        "part": progress.part,
        "parts": progress.parts,
        "bytesSent": progress.bytes_sent,
        "bytesTotal": progress.bytes_total,
    }


def _reason(video: Video) -> dict[str, Any] | None:
    if not video.reason_code:
        return None
    detail = video.reason_detail
    return {
        "code": video.reason_code,
        "sentence": sentence(video.reason_code, detail),
        "advice": advice(video.reason_code, detail),
    }


def _time(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if value else None
