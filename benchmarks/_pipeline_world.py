"""What the pipeline's measurements share: a Redis of their own, worker processes, accounts and videos in bulk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT

ACCOUNTS = 1_000
CLIP_SECONDS = 1


@contextmanager
def redis_running(folder: Path) -> Iterator[str]:
    """A Redis as the product's own: on a socket, with an append-only file. Its address."""
    from subiteya.lib.redis_server import find_redis_server, redis_argv

    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    argv = redis_argv(server=find_redis_server(), socket=socket, folder=folder)
    with running(argv, log=folder / "redis.log"):
        wait_for(socket.exists, "Redis")
        yield f"unix://{socket}"


@contextmanager
def running(argv: Sequence[str], *, log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process while the block runs; ended by SIGTERM, then by force."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def all_running(argvs: Sequence[Sequence[str]], *, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Several at once."""
    if not argvs:
        yield []
        return
    with running(argvs[0], log=log) as first, all_running(argvs[1:], log=log) as rest:
        yield [first, *rest]


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def wait_for(ready: Callable[[], object], what: str, *, seconds: float = 120.0, every: float = 0.02) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not there after {seconds:.0f} s")
        time.sleep(every)


def clip(folder: Path) -> Path:
    """A second of video that is right as it is: its edit is a copy."""
    from publishing.editing.ffmpeg import ffmpeg_path

    path = folder / "clip.mp4"
    picture, sound = f"testsrc2=s=540x960:r=30:d={CLIP_SECONDS}", f"sine=frequency=440:duration={CLIP_SECONDS}"
    argv = [ffmpeg_path(), "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"]
    subprocess.run([*argv, *encode, str(path)], check=True, timeout=60)
    return path


class World:
    """The rows that every measurement needs: a person, accounts in their charge, a source and its edit."""

    def __init__(self, folder: Path, accounts: int = ACCOUNTS) -> None:
        from accounts.models import Sector, TikTokAccount, User
        from accounts.roles import Role

        self.folder = folder
        self._keys = iter(range(10**9))
        self.user = User.objects.create(
            username="bench", email="bench@agency.example", role=Role.ADMINISTRATOR, is_staff=True, is_superuser=True
        )
        sector = Sector.objects.create(name="Bench", slug="bench")
        made = TikTokAccount.objects.bulk_create(self._account(n, sector) for n in range(accounts + 1))
        self._tokens(made)
        #: The guest is nobody's neighbour: no other video is of this account.
        self.guest, self.accounts = made[-1], made[:-1]
        self.source = self._source()
        self.edited = self._edited()

    @staticmethod
    def _account(number: int, sector: Any) -> Any:
        from django.utils import timezone

        from accounts.models import TikTokAccount

        name = f"bench{number}"
        return TikTokAccount(open_id=name, username=name, display_name=name, sector=sector, connected_at=timezone.now())

    def _tokens(self, accounts: Sequence[Any], answers: dict[int, dict[str, Any]] | None = None) -> None:
        """Tokens of nobody, or those that the sandbox gave."""
        from django.utils import timezone

        from accounts.models import OAuthToken

        now, given = timezone.now(), answers or {}
        OAuthToken.objects.filter(account__in=accounts).delete()
        OAuthToken.objects.bulk_create(
            OAuthToken(
                account=account, access_token=given.get(account.pk, {}).get("access_token", f"act.{account.pk}"),
                refresh_token=given.get(account.pk, {}).get("refresh_token", f"rft.{account.pk}"),
                scope="user.info.basic,video.publish,video.upload", expires_at=now + timedelta(hours=20),
                refresh_expires_at=now + timedelta(days=300),
            )
            for account in accounts
        )  # fmt: skip

    def _source(self) -> Any:
        from publishing.services.ingest import asset_probe, source_ingest

        path = clip(self.folder)
        with path.open("rb") as file:
            source = source_ingest(stream=file, name=path.name, user=self.user, declared_size=path.stat().st_size)
        return asset_probe(asset=source)

    def _edited(self) -> Any:
        """The result of the edit that every video of the source has: made once, found by all others."""
        from django.utils import timezone

        from publishing.models import Video
        from publishing.services.runner import job_run
        from publishing.states import JobKind, VideoStatus

        later = timezone.now() + timedelta(days=2)
        first = self.videos(1, status=VideoStatus.PENDING, at=later)
        job_run(self.jobs(first, JobKind.EDIT)[0].pk)
        return Video.objects.get(pk=first[0].pk).edited

    def batch(self) -> Any:
        from publishing.models import Batch
        from subiteya.lib.tracing import new_trace_id

        return Batch.objects.create(
            created_by=self.user, source=self.source, caption="bench", submission_key=f"bench-{next(self._keys)}",
            trace_id=new_trace_id(),
        )  # fmt: skip

    def submit(self, account: Any, at: datetime) -> Any:
        """What *Publish* does."""
        from publishing.services.batches import AccountChoice, batch_submit
        from publishing.states import PostMode, PrivacyLevel, SubtitleChoice

        choice = AccountChoice(account=account, privacy_level=PrivacyLevel.SELF_ONLY)
        return batch_submit(
            user=self.user, source=self.source, caption="bench", choices=[choice], mode=PostMode.DIRECT,
            subtitles=SubtitleChoice.NONE, submission_key=f"bench-{next(self._keys)}", scheduled_at=at,
        )  # fmt: skip

    def videos(
        self, count: int, *, status: str, at: datetime | None = None, edited: Any = None,
        accounts: Sequence[Any] = (),
    ) -> list[Any]:  # fmt: skip
        """`count` videos, an account after the other, of as many batches as that takes."""
        from django.utils import timezone

        from publishing.models import Video, VideoEvent

        of, made = accounts or self.accounts, []
        for start in range(0, count, len(of)):
            batch = self.batch()
            made += Video.objects.bulk_create(
                [self._video(batch, account, status, at, edited) for account in of[: count - start]], batch_size=1_000
            )
        events = [
            VideoEvent(video=video, new=status, actor=self.user, at=timezone.now(), trace_id=video.trace_id)
            for video in made
        ]
        VideoEvent.objects.bulk_create(events, batch_size=2_000)
        return made

    @staticmethod
    def _video(batch: Any, account: Any, status: str, at: datetime | None, edited: Any) -> Any:
        from publishing.models import Video
        from publishing.states import PrivacyLevel
        from subiteya.lib.tracing import new_trace_id

        trace = new_trace_id()
        return Video(
            batch=batch, account=account, status=status, scheduled_at=at, edited=edited, caption="bench",
            privacy_level=PrivacyLevel.SELF_ONLY, time_zone=account.time_zone, trace_id=trace,
            traceparent=f"00-{trace}-{trace[:16]}-03",
        )  # fmt: skip

    def jobs(self, videos: Sequence[Any], kind: str, **fields: Any) -> list[Any]:
        """A job for each, rung for by nobody yet."""
        from django.utils import timezone

        from publishing.models import Job, JobEvent
        from publishing.states import JobStatus

        now = timezone.now()
        values = {"run_at": now, "belled_at": now, **fields}
        made = Job.objects.bulk_create(
            [
                Job(video=video, kind=kind, trace_id=video.trace_id, traceparent=video.traceparent, **values)
                for video in videos
            ],
            batch_size=1_000,
        )
        events = [JobEvent(job=job, new=JobStatus.QUEUED, at=now, trace_id=job.trace_id) for job in made]
        JobEvent.objects.bulk_create(events, batch_size=2_000)
        return made

    def finished(self, account: Any, at: datetime) -> Any:
        """A published video with what it left behind."""
        from insights.models import Outcome, Publication
        from publishing.models import UploadSession, Video, VideoEvent
        from publishing.states import JobKind, JobStatus, UploadState, VideoStatus

        (video,) = self.videos(1, status=VideoStatus.PENDING, at=at, edited=self.edited, accounts=[account])
        path = [VideoStatus.PENDING, VideoStatus.EDITING, VideoStatus.EDITED, VideoStatus.UPLOADING,
                VideoStatus.VERIFYING, VideoStatus.POSTED]  # fmt: skip
        for old, new in pairwise(path):
            VideoEvent.objects.create(video=video, old=old, new=new, at=at, trace_id=video.trace_id)
        times = {"started_at": at, "finished_at": at, "status": JobStatus.SUCCEEDED}
        (job,) = self.jobs([video], JobKind.UPLOAD, **times)
        self.jobs([video], JobKind.EDIT, render_key="k" * 64, **times)
        size = self.edited.size
        UploadSession.objects.create(
            video=video, account=account, job=job, asset=self.edited, state=UploadState.COMPLETE, publish_id="first",
            video_size=size, chunk_size=size, total_chunk_count=1, uploaded_bytes=size,
            source_sha256=self.edited.sha256, init_at=at, sent_at=at, settled_at=at,
        )  # fmt: skip
        Publication.objects.create(
            video=video, account=account, sector=account.sector, arm=video.subtitle_variant, due_at=at, posted_at=at,
            assignment=video.subtitle_assignment, outcome=Outcome.PUBLISHED,
        )  # fmt: skip
        Video.objects.filter(pk=video.pk).update(status=VideoStatus.POSTED, posted_at=at)
        return Video.objects.get(pk=video.pk)

    # TikTok's sandbox

    def known_to_sandbox(self, accounts: Sequence[Any]) -> None:
        """Connect the accounts with the sandbox, before it is started as a process of its own."""
        from django.conf import settings

        from subiteya.tiktok.sandbox import Sandbox, SandboxSettings

        given = SandboxSettings(client_key=settings.TIKTOK_CLIENT_KEY, client_secret=settings.TIKTOK_CLIENT_SECRET)
        sandbox = Sandbox(self.folder / "sandbox", given)
        answers = {}
        for account in accounts:
            sandbox.add_account(account.username)
            answers[account.pk] = sandbox.mint_tokens(account.username)
        sandbox.close()
        self._tokens(accounts, answers)

    @property
    def sandbox_argv(self) -> list[str]:
        folder = str(self.folder / "sandbox")
        return manage(
            "tiktok_sandbox", "--data-dir", folder, "--processing-seconds", "0.1", "--moderation-seconds", "0.1"
        )
