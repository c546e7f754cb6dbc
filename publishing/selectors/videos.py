"""Reading videos: lists, progress, the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.utils.translation import gettext, ngettext

from publishing.causes import sentence
from publishing.clocks import readable
from publishing.models import Job, UploadSession, Video
from publishing.selectors.filters import videos_matching
from publishing.states import FAMILIES, HELD_BY_PERSON, JOB_ACTIVE, JobKind, JobStatus, VideoStatus


def videos_for(user: Any, **filters: Any) -> QuerySet[Video]:
    """The videos that `user` may see, newest first, with all that a list shows (no query per row).

    `filters`: those of `publishing.selectors.filters.videos_matching`.
    """
    return with_progress(videos_matching(user, filters)).order_by("-pk")


def videos_in_order(pks: Sequence[int]) -> list[Video]:
    """These videos, in this order, with all that a list shows. The edited files it does not."""
    found = (
        with_progress(Video.objects.all()).select_related(None).select_related("account", "batch__source").in_bulk(pks)
    )
    return [found[pk] for pk in pks if pk in found]


def cause_text(code: str, detail: dict[str, Any], video: Video) -> str:
    """The cause in words, its moments as the clocks of the account show them. Empty for an empty code."""
    return sentence(code, {"account": str(video.account)} | readable(detail, video.time_zone))


def with_progress(videos: QuerySet[Video]) -> QuerySet[Video]:
    """Load what `video_progress` needs in two more queries, whatever the number of rows."""
    active = Job.objects.filter(status__in=sorted(JOB_ACTIVE)).order_by("pk")
    return videos.select_related("account", "batch__source", "edited").prefetch_related(
        Prefetch("jobs", active, to_attr="active_jobs"),
        Prefetch("uploads", UploadSession.objects.order_by("pk"), to_attr="sessions"),
    )


def family_counts(videos: QuerySet[Video]) -> dict[str, int]:
    """`{family: videos}` for every family, in one query."""
    by_status = dict(videos.order_by().values_list("status").annotate(n=Count("pk")))
    return {family: sum(by_status.get(status, 0) for status in statuses) for family, statuses in FAMILIES.items()}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a video is. `percent` is None when there is nothing to measure; parts count from 1."""

    label: str
    percent: int | None = None
    part: int = 0
    parts: int = 0
    bytes_sent: int = 0
    bytes_total: int = 0


def video_progress(video: Video) -> Progress:
    """The progress to show, from the active job and its session (see `with_progress`)."""
    job = _active_job(video)
    session = _last_session(video)
    label = status_label(video.status, video.reason_code)
    if video.status == VideoStatus.EDITING and job:
        return Progress(label=str(label), percent=int(job.progress * 100))
    if session is None or video.status not in {
        VideoStatus.UPLOADING, VideoStatus.VERIFYING, VideoStatus.RETRYING, VideoStatus.IN_REVIEW, VideoStatus.POSTED,
    }:  # fmt: skip
        return Progress(label=str(label), percent=100 if video.status == VideoStatus.POSTED else None)
    return _upload_progress(video, job, session)


def status_label(status: str, code: str = "") -> str:
    """The status as a person reads it; held by a person is not held by the account's pause."""
    if status == VideoStatus.HELD and code == HELD_BY_PERSON:
        return gettext("Held by a person")
    return str(VideoStatus(status).label)


def _upload_progress(video: Video, job: Job | None, session: UploadSession) -> Progress:
    total, parts = session.video_size, session.total_chunk_count
    done = min(session.uploaded_bytes // session.chunk_size, parts - (session.uploaded_bytes < total))
    sent = session.uploaded_bytes
    label = str(VideoStatus(video.status).label)
    if video.status == VideoStatus.UPLOADING:
        if job and job.status == JobStatus.RUNNING:
            sent = max(sent, int(job.progress * total))
        label = gettext("Uploading %(part)s of %(parts)s") % {"part": min(done + 1, parts), "parts": parts}
    return Progress(
        label=label, percent=int(100 * sent / total), part=min(done + 1, parts), parts=parts, bytes_sent=sent,
        bytes_total=total,
    )  # fmt: skip


def _active_job(video: Video) -> Job | None:
    jobs: Iterable[Job] = getattr(video, "active_jobs", None) or (
        [] if hasattr(video, "active_jobs") else video.jobs.filter(status__in=sorted(JOB_ACTIVE))
    )
    return next(iter(jobs), None)


def _last_session(video: Video) -> UploadSession | None:
    sessions: list[UploadSession] = video.sessions if hasattr(video, "sessions") else list(video.uploads.order_by("pk"))
    return sessions[-1] if sessions else None


@dataclass(frozen=True, kw_only=True)
class TimelineItem:
    """One line of a video's story."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    log_id: str = ""
    trace_id: str = ""


def timeline(video: Video) -> list[TimelineItem]:
    """What happened to a video, oldest first: its changes, its jobs' interruptions, TikTok's answers."""
    return sorted([*_video_items(video), *_job_items(video), *_upload_items(video)], key=lambda item: item.at)


def _video_items(video: Video) -> Iterator[TimelineItem]:
    for event in video.events.select_related("actor"):
        detail = readable({"account": str(video.account)} | event.detail, video.time_zone)
        parts = [sentence(event.code, detail), str(event.actor) if event.actor else ""]
        yield TimelineItem(
            at=event.at, kind="video", title=status_label(event.new, event.code),
            detail=" · ".join(part for part in parts if part), log_id=str(event.detail.get("log_id", "")),
            trace_id=event.trace_id,
        )  # fmt: skip


def _job_items(video: Video) -> Iterator[TimelineItem]:
    kinds = dict(JobKind.choices)
    for job in video.jobs.prefetch_related("events"):
        for event in job.events.all():
            if event.code in {"worker_stopped", "lease_expired", "crashed"}:
                yield TimelineItem(
                    at=event.at, kind="job", title=str(kinds[job.kind]), detail=sentence(event.code),
                    trace_id=event.trace_id,
                )  # fmt: skip


def _upload_items(video: Video) -> Iterator[TimelineItem]:
    for session in video.uploads.exclude(publish_id=""):
        yield TimelineItem(
            at=session.init_at, kind="upload", title=gettext("TikTok opened the upload"),
            detail=_parts(session),
            log_id=session.log_id,
        )  # fmt: skip
        if session.sent_at:
            yield TimelineItem(at=session.sent_at, kind="upload", title=gettext("Last part on its way"))


def _parts(session: UploadSession) -> str:
    count = session.total_chunk_count
    text = ngettext("%(parts)s part, %(id)s", "%(parts)s parts, %(id)s", count)
    return text % {"parts": count, "id": session.publish_id}


def is_sent(video: Video) -> bool:
    """Is the last part at TikTok, or on its way? Then a cancel comes too late."""
    session = _last_session(video)
    return session is not None and session.sent_at is not None and session.settled_at is None
