"""What the hosts are given to do, and what they made of it. Needs Django set up with the hosts' settings."""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts.models import TikTokAccount, User
from accounts.services.connections import account_import
from benchmarks._hosts_net import Failed, wait
from benchmarks._hosts_stack import OWN_NAME, Stack
from publishing.chaos.control import Control
from publishing.chaos.evidence import read_rows
from publishing.chaos.verdict import Asked, Left, Verdict, judge
from publishing.editing.ffmpeg import ffmpeg_path
from publishing.models import AccountBrand, Asset, Batch, BrandPattern, Job, Video
from publishing.services.batches import AccountChoice, batch_submit
from publishing.services.ingest import asset_probe, source_ingest
from publishing.services.videos import video_reschedule
from publishing.states import VIDEO_TERMINAL, JobKind, PostMode, PrivacyLevel, SubtitleChoice, VideoStatus

PASSWORD = "hosts-of-subiteya"
#: Accounts by their look: one for each way of editing that a step wants. The plain ones share one edit.
LOOKS = {"plain": None, "first": {"contrast": 1.1}, "second": {"contrast": 1.2}}
DONE_SECONDS = 180.0


class Load:
    """People, accounts and files; submissions, and waiting for them."""

    def __init__(self, stack: Stack, *, accounts: int) -> None:
        self.stack, self.control = stack, Control(stack.sandbox_url)
        self.user = User.objects.create_user("ana", password=PASSWORD)
        self.accounts = {look: self._accounts(look, accounts) for look in LOOKS}
        self.asked: list[Asked] = []
        #: Edited, and due when the rest is over.
        self.later: list[Video] = []
        self._batches = 0
        self.sources = stack.folder / "sources"
        self.sources.mkdir()

    def _accounts(self, look: str, count: int) -> list[TikTokAccount]:
        fields = LOOKS[look]
        pattern = BrandPattern.objects.create(name=look, **fields) if fields else None
        found = []
        for number in range(count):
            name = f"{look}.{number}"
            self.control.account(name, daily_post_cap=10_000)
            account, _new = account_import(
                answer=self.control.tokens(name), username=name, sector_name="Hosts", managers=[self.user]
            )
            if pattern:
                AccountBrand.objects.create(account=account, pattern=pattern)
            found.append(account)
        return found

    def source(self, name: str, *, seconds: float, size: str = "720x1280", noise: int = 0, turn: int = 0) -> Asset:
        """A clip in the bucket, checked. `noise` makes it large: it does not compress."""
        path = self.sources / f"{name}.mp4"
        picture = f"testsrc2=s={size}:r=30:d={seconds},hue=h={7 + 37 * turn}"
        picture += f",noise=alls={noise}:allf=t:all_seed={turn + 1}" if noise else ""
        # fmt: off
        subprocess.run([
            ffmpeg_path(), "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", picture,
            "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-pix_fmt", "yuv420p", str(path),
        ], timeout=120, check=True)
        # fmt: on
        with path.open("rb") as file:
            asset = source_ingest(stream=file, name=path.name, user=self.user, declared_size=path.stat().st_size)
        return asset_probe(asset=asset)

    def submit(self, source: Asset, accounts: Sequence[TikTokAccount], *, at: datetime | None = None) -> list[Video]:
        """A batch, as the form submits it."""
        self._batches += 1
        caption = f"Batch {self._batches}"
        level = str(PrivacyLevel.PUBLIC_TO_EVERYONE)
        batch: Batch = batch_submit(
            user=self.user, source=source, caption=caption, mode=PostMode.DIRECT, subtitles=SubtitleChoice.NONE,
            choices=[AccountChoice(account=account, privacy_level=level) for account in accounts],
            submission_key=caption, scheduled_at=at,
        )  # fmt: skip
        self.asked += [Asked(account.username, caption) for account in accounts]
        return list(batch.videos.order_by("pk"))

    def wait_for(self, videos: Iterable[Video], *statuses: VideoStatus, seconds: float = DONE_SECONDS) -> None:
        """Until each has one of `statuses`; Failed also when one ended otherwise."""
        wanted = {str(status) for status in statuses}
        pks = [video.pk for video in videos]

        def reached() -> bool:
            found = Counter(Video.objects.filter(pk__in=pks).values_list("status", flat=True))
            if wrong := {status for status in found if status in VIDEO_TERMINAL} - wanted:
                raise Failed(f"videos ended as {', '.join(sorted(wrong))} instead of {', '.join(sorted(wanted))}")
            return set(found) <= wanted

        wait(reached, seconds=seconds, about=f"videos {', '.join(sorted(wanted))}", every=0.1)

    def send_later(self) -> None:
        """Bring forward what was only edited, and wait for it."""
        for video in self.later:
            video_reschedule(video=video, at=soon(1), actor=self.user)
        self.wait_for(self.later, VideoStatus.POSTED)

    def verdict(self) -> Verdict:
        """All that was submitted against all that TikTok's stand-in has."""
        return judge(asked=self.asked, rows=read_rows(), posts=self.control.ledger(), left=Left())

    def entry(self, publish_id: str) -> dict[str, Any]:
        """TikTok's own record of one upload."""
        entries = self.control._ask("GET", "ledger")["publishes"]
        found: dict[str, Any] = next(entry for entry in entries if entry["publish_id"] == publish_id)
        return found

    def fetches(self, asset: Asset) -> int:
        """How often the stored file was read from the S3 server, by that server's own log."""
        log = self.stack["s3"].running["moto"].log.read_text(encoding="utf-8", errors="replace")
        return len(re.findall(rf'"GET /{settings.S3_BUCKET}/{re.escape(asset.storage_key)}[ ?]', log))


def span_of(videos: Iterable[Video], kind: JobKind) -> float:
    """Seconds from the first start to the last end of these videos' jobs."""
    jobs = Job.objects.filter(video__in=[video.pk for video in videos], kind=kind)
    times = list(jobs.values_list("started_at", "finished_at"))
    if not all(start and end for start, end in times):
        raise Failed(f"a {kind} job has not ended")
    return (max(end for _start, end in times) - min(start for start, _end in times)).total_seconds()


def soon(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


class Stream:
    """Submits a video every `every` seconds from a thread of its own, until it is told to stop."""

    def __init__(self, load: Load, source: Asset, *, every: float) -> None:
        self.videos: list[Video] = []
        self.refused: list[str] = []
        self._load, self._source, self._every = load, source, every
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        accounts = self._load.accounts["plain"]
        try:
            while not self._enough.wait(self._every):
                number = len(self.videos) + len(self.refused)
                try:
                    self.videos += self._load.submit(self._source, [accounts[number % len(accounts)]])
                except Exception as error:  # noqa: BLE001
                    self.refused.append(f"{type(error).__name__}: {error}")
        finally:
            connections.close_all()

    def stop(self) -> None:
        self._enough.set()
        self._thread.join()


class Connections:
    """Samples how many connections each host has to PostgreSQL, twenty times a second."""

    def __init__(self, address: str) -> None:
        self.peak = 0
        self.by_host: Counter[str] = Counter()
        self.of_peak: dict[str, int] = {}
        self._address = address
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="connections", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asked = (
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name <> %s GROUP BY 1"
        )
        with psycopg.connect(self._address, autocommit=True, application_name=OWN_NAME) as connection:
            while not self._enough.wait(0.05):
                found = dict(connection.execute(asked, [OWN_NAME]).fetchall())
                if sum(found.values()) > self.peak:
                    self.peak, self.of_peak = sum(found.values()), found
                self.by_host |= Counter(found)

    def stop(self) -> None:
        self._enough.set()
        self._thread.join()
