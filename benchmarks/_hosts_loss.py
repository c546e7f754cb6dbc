"""Hosts that are lost in the middle of their work, and a Redis that is lost with all it held."""

from __future__ import annotations

import os
import shutil
import signal
import time
from datetime import datetime
from typing import Any

from django.utils import timezone

from benchmarks._hosts_load import Load
from benchmarks._hosts_net import wait
from benchmarks._hosts_stack import EDIT, Stack
from benchmarks.harness import Figure, progress
from publishing.models import Job, UploadSession, Video
from publishing.services.jobs import LEASE
from publishing.services.reconcile import HOST_PATIENCE, RING_AGAIN
from publishing.states import JobKind, JobStatus, VideoStatus

#: A part of some 10 MB takes this line seconds.
LINE_BYTES_PER_SECOND = 4_000_000
PART_BYTES = 12_000_000
#: What the scheduler may take on top of a lease or a patience: two of its rounds, and the start of the work.
ON_TOP_SECONDS = 3.0
#: After Redis is back: a worker's longest pause before it connects, and a video's way through.
BACK_SECONDS = 6.0 + 6.0


def upload_host(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """One host of three that are busy loses its power with some parts sent; the fourth has nothing to do."""
    progress("an upload host loses its power in the middle of a part")
    source = load.source("large", seconds=2.0, size="1080x1920", noise=60)
    load.control.fault("slow", endpoint="chunk", times=None, bytes_per_second=LINE_BYTES_PER_SECOND)
    videos = load.submit(source, load.accounts["plain"][: 1 if quick else 3])
    session = wait(lambda: _under_way(videos), seconds=120, about="a first part", every=0.1)
    lost = Job.objects.get(pk=session.job_id)
    stack[lost.host].power_off()
    before, sent = Job.objects.get(pk=lost.pk), UploadSession.objects.get(pk=session.pk).uploaded_bytes
    assert before.lease_until is not None
    again, at = _taken_again(before, seconds=3 * LEASE.total_seconds())
    load.control.heal()
    load.wait_for(videos, VideoStatus.POSTED)
    post = load.entry(UploadSession.objects.get(pk=session.pk).publish_id)
    stack.start([before.host])
    over = (at - before.lease_until).total_seconds()
    detail = {
        "lease_seconds": LEASE.total_seconds(), "lost": before.host, "taken_over_by": again.host,
        "confirmed_bytes": sent, "file_bytes": post["video_size"], "parts": post["total_chunk_count"],
    }  # fmt: skip
    extra = post["bytes_received"] - post["video_size"]
    return [
        Figure(name="upload host lost: after the lease", measured=over, unit="s", goal=ON_TOP_SECONDS, detail=detail),
        Figure(name="upload host lost: bytes sent again", measured=extra / 1e6, unit="MB", goal=PART_BYTES / 1e6),
    ]  # fmt: skip


def _under_way(videos: list[Video]) -> UploadSession | None:
    """An upload with a part that TikTok has, and more to send."""
    sessions = UploadSession.objects.filter(video__in=[video.pk for video in videos], sent_at=None)
    return sessions.filter(uploaded_bytes__gt=0).first()


def _taken_again(before: Job, *, seconds: float) -> tuple[Job, datetime]:
    """The job once another claim works on it, and when that was seen."""
    later = Job.objects.filter(pk=before.pk, fence__gt=before.fence, status=JobStatus.RUNNING)
    job = wait(later.first, seconds=seconds, about=f"job {before.pk} taken up again", every=0.02)
    return job, timezone.now()


def edit_host(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """A retry where the files are, and one where they are not."""
    progress("an edit is killed, then its host loses its power")
    source = load.source("long", seconds=12.0, size="1080x1920")
    [video] = load.submit(source, load.accounts["first"][:1])
    job = _rendering(video)
    worker = next(it for it in stack[job.host].running.values() if it.children())
    began, fetched = time.monotonic(), load.fetches(source)
    os.kill(worker.children()[0].pid, signal.SIGKILL)
    same, _at = _taken_again(job, seconds=30)
    seconds, fetched = time.monotonic() - began, load.fetches(source) - fetched
    job = _rendering(video)
    fetched_here = load.fetches(source)
    [spare] = set(EDIT) - {job.host}
    shutil.rmtree(stack[spare].folder / "work", ignore_errors=True)  # it checked the file, and kept a copy of it
    stack[job.host].power_off()
    before = Job.objects.get(pk=job.pk)
    assert before.lease_until is not None
    other, at = _taken_again(before, seconds=3 * LEASE.total_seconds())
    load.wait_for([video], VideoStatus.POSTED)
    fetched_there = load.fetches(source) - fetched_here
    stack.start([job.host])
    over = (at - before.lease_until - HOST_PATIENCE).total_seconds()
    hosts: dict[str, Any] = {
        "first": job.host,
        "after_the_kill": same.host,
        "after_the_power_cut": other.host,
        "fetched_before": fetched_here,
    }
    waits = {"lease_seconds": LEASE.total_seconds(), "patience_seconds": HOST_PATIENCE.total_seconds()}
    return [
        Figure(name="edit retried on its host: after", measured=seconds, unit="s", goal=ON_TOP_SECONDS, detail=hosts),
        Figure(name="edit retried on its host: fetched from S3", measured=fetched, unit="×", goal=0),
        Figure(name="edit retried elsewhere: after lease and patience", measured=over, unit="s", goal=ON_TOP_SECONDS,
               detail=waits),
        Figure(name="edit retried elsewhere: fetched from S3", measured=fetched_there, unit="×", goal=1),
    ]  # fmt: skip


def _rendering(video: Video) -> Job:
    jobs = Job.objects.filter(video=video, kind=JobKind.EDIT, status=JobStatus.RUNNING, step="render", progress__gt=0.1)
    return wait(jobs.first, seconds=60, about="a render", every=0.05)


def redis(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """Redis's machine is gone while videos wait and come; an empty one takes its address."""
    progress("Redis loses its machine; an empty one takes its place")
    source = load.source("bells", seconds=1.0, turn=5)
    accounts = load.accounts["plain"]
    stack["redis"].power_off()
    began = time.monotonic()
    videos = [video for number in range(3 if quick else 6) for video in load.submit(source, [accounts[number]])]
    submitting = time.monotonic() - began
    stack["redis"].power_on()
    stack.start_redis()
    began = time.monotonic()
    load.wait_for(videos, VideoStatus.POSTED)
    seconds = time.monotonic() - began
    missing = Video.objects.filter(pk__in=[video.pk for video in videos]).exclude(status=VideoStatus.POSTED).count()
    detail = {"videos": len(videos), "seconds_a_submission_without_redis": submitting / len(videos)}
    goal = RING_AGAIN.total_seconds() + BACK_SECONDS
    name = "Redis lost: last video out after its return"
    return [
        Figure(name=name, measured=seconds, unit="s", goal=goal, detail=detail),
        Figure(name="Redis lost: videos not published", measured=missing, goal=0),
    ]
