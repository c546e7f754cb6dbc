"""The told month as rows: written once, in bulk, in one transaction."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from accounts.models import TikTokAccount, User
from publishing.demo.files import DemoFile
from publishing.demo.history import SEED, Submission
from publishing.demo.story import JobStory, Session, Step, Story
from publishing.demo.views import counts_of
from publishing.models import Batch, Job, JobEvent, SubtitleDraw, UploadSession, Video, VideoEvent
from publishing.states import JobKind, JobStatus, SubtitleAssignment, SubtitleChoice, UploadState

KEY = "demo-history-"
URL_LIFE = timedelta(minutes=55)
CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the rows hang on: people and accounts by username, files, the address of TikTok's stand-in."""

    people: Mapping[str, User]
    accounts: Mapping[str, TikTokAccount]
    files: Sequence[DemoFile]
    site: str


@dataclass
class _Rows:
    batches: list[Batch] = field(default_factory=list)
    videos: list[Video] = field(default_factory=list)
    video_events: list[VideoEvent] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    job_events: list[JobEvent] = field(default_factory=list)
    uploads: list[UploadSession] = field(default_factory=list)
    draws: list[SubtitleDraw] = field(default_factory=list)


def is_written() -> bool:
    """Whether this database has its month already."""
    return Batch.objects.filter(submission_key__startswith=KEY).exists()


@transaction.atomic
def write(submissions: Iterable[Submission], stage: Stage) -> int:
    """Write the month; return the number of videos."""
    rows = _Rows()
    ids = random.Random(SEED + 1)  # noqa: S311
    for index, submission in enumerate(submissions):
        _batch(rows, submission, stage, f"{KEY}{index:04}", f"{ids.getrandbits(128):032x}")
    for each in (rows.batches, rows.videos, rows.jobs, rows.video_events, rows.job_events, rows.uploads, rows.draws):
        _create(each)
    return len(rows.videos)


def _create(rows: Sequence[models.Model]) -> None:
    """Insert; then set the times that Django stamps with now by itself."""
    manager = type(rows[0])._default_manager
    stamped = [name for name in ("created_at", "updated_at") if name in vars(rows[0])]
    told = [[vars(row)[name] for name in stamped] for row in rows]
    manager.bulk_create(rows, batch_size=CHUNK)
    for row, moments in zip(rows, told, strict=True):
        vars(row).update(zip(stamped, moments, strict=True))
    if stamped:
        manager.bulk_update(rows, stamped, batch_size=CHUNK)


def _batch(rows: _Rows, submission: Submission, stage: Stage, key: str, trace_id: str) -> None:
    file = stage.files[submission.source]
    batch = Batch(
        created_by=stage.people[submission.manager],
        source=file.source,
        caption=submission.stories[0][1],
        subtitles=SubtitleChoice.SYSTEM if submission.by_lot else _subtitles(submission.subtitled),
        track=file.track if submission.subtitled or submission.by_lot else None,
        submission_key=key,
        trace_id=trace_id,
        created_at=submission.at,
    )
    rows.batches.append(batch)
    for story, caption in submission.stories:
        _video(rows, batch, story, caption, file, stage)


def _video(rows: _Rows, batch: Batch, story: Story, caption: str, file: DemoFile, stage: Stage) -> None:
    account = stage.accounts[story.brand.username]
    video = Video(
        batch=batch,
        account=account,
        status=story.status,
        mode=story.mode,
        caption=caption,
        privacy_level=story.privacy,
        disable_comment=False,
        subtitle_variant=_subtitles(story.subtitled),
        subtitle_assignment=SubtitleAssignment.DRAW if story.by_lot else SubtitleAssignment.PERSON,
        scheduled_at=story.due,
        time_zone=account.time_zone,
        edited=file.edited if story.edited else None,
        reason_code=story.last.code,
        reason_detail=story.last.detail,
        tiktok_status=story.tiktok_status,
        post_id=story.post_id,
        post_url=_post_url(story, stage.site),
        posted_at=story.posted_at,
        trace_id=batch.trace_id,
        created_at=story.steps[0].at,
        updated_at=story.last.at,
    )
    rows.videos.append(video)
    if story.by_lot:
        position = sum(draw.account == account for draw in rows.draws)
        rows.draws.append(SubtitleDraw(account=account, video=video, position=position, variant=video.subtitle_variant))
    rows.video_events += _video_events(video, story.steps, batch.created_by)
    for told in story.jobs:
        _job(rows, video, told)
    if story.session:
        rows.uploads.append(_upload(video, rows.jobs[-1], story.session, file))


def _video_events(video: Video, steps: Sequence[Step], person: User) -> list[VideoEvent]:
    old = ["", *(step.new for step in steps)]
    return [
        VideoEvent(
            video=video, old=before, new=step.new, code=step.code, detail=step.detail, at=step.at,
            actor=person if step.by_person else None, trace_id=video.trace_id,
        )
        for before, step in zip(old, steps, strict=False)
    ]  # fmt: skip


def _job(rows: _Rows, video: Video, told: JobStory) -> None:
    first, last = told.steps[0], told.steps[-1]
    started = next((step.at for step in told.steps if step.new == JobStatus.RUNNING), None)
    job = Job(
        video=video,
        kind=told.kind,
        status=last.new,
        attempt=told.attempt,
        fence=sum(step.new == JobStatus.RUNNING for step in told.steps),
        host="demo" if started else "",
        run_at=first.at,
        belled_at=first.at,
        step={JobKind.EDIT: "render", JobKind.UPLOAD: "verify"}[told.kind] if started else "",
        progress=1.0 if last.new == JobStatus.SUCCEEDED else 0.0,
        reason_code=last.code,
        reason_detail=video.reason_detail if last.code else {},
        trace_id=video.trace_id,
        created_at=first.at,
        started_at=started,
        finished_at=last.at,
    )
    rows.jobs.append(job)
    rows.job_events += _job_events(job, told.steps)


def _job_events(job: Job, steps: Sequence[Step]) -> list[JobEvent]:
    old, events, fence = "", [], 0
    for step in steps:
        fence += step.new == JobStatus.RUNNING
        owner = f"demo:{job.kind}" if step.new == JobStatus.RUNNING else ""
        events.append(
            JobEvent(
                job=job, old=old, new=step.new, code=step.code, owner=owner, fence=fence, at=step.at,
                trace_id=job.trace_id,
            )
        )  # fmt: skip
        old = step.new
    return events


def _upload(video: Video, job: Job, told: Session, file: DemoFile) -> UploadSession:
    """A settled upload in one part: without its address, which is of no use any more."""
    size = file.edited.size
    return UploadSession(
        video=video,
        account=video.account,
        job=job,
        asset=file.edited,
        state=told.state,
        publish_id=told.publish_id,
        url_expires_at=told.init_at + URL_LIFE,
        video_size=size,
        chunk_size=size,
        total_chunk_count=1,
        uploaded_bytes=size if told.sent_at else 0,
        source_sha256=file.edited.sha256,
        tiktok_status=told.tiktok_status,
        fail_reason=told.fail_reason,
        init_at=told.init_at,
        sent_at=told.sent_at,
        settled_at=told.settled_at if told.state != UploadState.UNKNOWN else None,
    )


def _subtitles(subtitled: bool) -> SubtitleChoice:
    return SubtitleChoice.AUTO if subtitled else SubtitleChoice.NONE


def _post_url(story: Story, site: str) -> str:
    """As the product writes it: the post's page, or the profile for a post that has no public id."""
    if story.posted_at is None:
        return ""
    profile = f"{site}/@{story.brand.username}"
    return f"{profile}/video/{story.post_id}" if story.post_id else profile


def posts() -> list[dict[str, Any]]:
    """The public posts of the written month, as the sandbox registers them."""
    videos = Video.objects.filter(batch__submission_key__startswith=KEY).exclude(post_id="")
    return [_post(video) for video in videos.select_related("account", "edited")]


def _post(video: Video) -> dict[str, Any]:
    moment: datetime | None = video.posted_at
    assert moment is not None and video.edited is not None
    return {
        "username": video.account.username,
        "post_id": video.post_id,
        "create_time": int(moment.timestamp()),
        "title": video.caption,
        "duration": round(video.edited.duration_ms / 1000),
        "privacy_level": video.privacy_level,
        **counts_of(video),
    }
