"""A host's disk: what goes, what stays, and what happens when there is no room."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from publishing.editing.ffmpeg import FfmpegFailed, extract_audio
from publishing.errors import IngestRefused, StepFailed
from publishing.models import Asset, Job, Video, WorkingAsset, WorkingKind
from publishing.queues import get_queue
from publishing.services import disk, edit, files
from publishing.services.cleaning import CLEAN_EVERY, PIN_LIFE, clean_host, hosts_ring, make_room
from publishing.services.disk import scratch
from publishing.services.files import local_copy
from publishing.services.ingest import asset_probe
from publishing.services.reconcile import reconcile_tick
from publishing.services.working import LIFE, working_drop, working_file, working_find
from publishing.states import JobStatus, VideoStatus
from publishing.tasks import run_cleaning, run_probe
from tests.factories import (
    AssetFactory,
    BatchFactory,
    EditedAssetFactory,
    JobFactory,
    SubtitleTrackFactory,
    VideoFactory,
)
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db

SOURCE, AUDIO, RENDER = WorkingKind.SOURCE, WorkingKind.AUDIO, WorkingKind.RENDER
MB = 1_000_000


@pytest.fixture
def host(on_host):
    return on_host("one")


def keep(kind, key, data=b"x", **times):
    """A file of this host, kept as a worker would."""
    path = working_file(kind=kind, key=key, suffix=".mp4", room=len(data), make=lambda part: part.write_bytes(data))
    WorkingAsset.objects.filter(path=str(path)).update(**times)
    return path


def expired(**fields):
    return {
        "expires_at": timezone.now() - timedelta(seconds=1),
        "used_at": timezone.now() - timedelta(days=5),
        **fields,
    }


def old(path, days=2):
    """As if nothing had been written there for days."""
    long_ago = timezone.now().timestamp() - days * 86400
    for each in [*path.rglob("*"), path]:
        os.utime(each, (long_ago, long_ago))
    return path


def all_files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


class TestExpiry:
    def test_it_deletes_what_has_expired_and_only_on_its_own_host(self, host, on_host):
        mine, fresh = keep(SOURCE, "a" * 64, **expired()), keep(SOURCE, "b" * 64)
        on_host("two")
        other = keep(SOURCE, "a" * 64, **expired())
        on_host("one")
        assert clean_host() == 1
        assert (mine.exists(), fresh.exists(), other.exists()) == (False, True, True)
        assert set(WorkingAsset.objects.values_list("key", "host")) == {("b" * 64, "one"), ("a" * 64, "two")}

    def test_it_keeps_longer_what_is_used(self, host):
        path = keep(SOURCE, "a" * 64, **expired())
        assert working_find(kind=SOURCE, key="a" * 64) == path
        assert clean_host() == 0
        assert WorkingAsset.objects.get().expires_at > timezone.now() + LIFE[SOURCE] - timedelta(minutes=1)

    def test_it_makes_again_what_the_cleaning_took(self, host):
        keep(SOURCE, "a" * 64, **expired())
        clean_host()
        assert working_find(kind=SOURCE, key="a" * 64) is None
        assert keep(SOURCE, "a" * 64).read_bytes() == b"x"


WAITING = sorted(set(VideoStatus) - {VideoStatus.POSTED, VideoStatus.CANCELLED, VideoStatus.IN_INBOX})


class TestPins:
    @pytest.mark.parametrize("status", VideoStatus.values)
    def test_it_keeps_a_source_while_a_video_of_it_could_be_retried(self, host, status):
        video = VideoFactory(status=status, posted_at=timezone.now())
        path = keep(SOURCE, video.batch.source.sha256, **expired())
        clean_host()
        assert path.exists() == (status in WAITING)

    @pytest.mark.parametrize("status", VideoStatus.values)
    def test_it_keeps_a_render_that_is_not_stored_yet(self, host, status):
        job = JobFactory(
            video=VideoFactory(status=status, posted_at=timezone.now()), render_key="k" * 64, status=JobStatus.FAILED
        )
        path = keep(RENDER, "k" * 64, **expired())
        clean_host()
        assert path.exists() == (status in WAITING)
        Video.objects.filter(pk=job.video_id).update(edited=EditedAssetFactory())
        WorkingAsset.objects.update(**expired())
        clean_host()
        assert not path.exists()

    @pytest.mark.parametrize(("track", "stays"), [("failed", True), ("pending", True), ("ready", False)])
    def test_it_keeps_a_sound_while_its_subtitles_are_not_made(self, host, track, stays):
        made = SubtitleTrackFactory(status=track)
        VideoFactory(batch=BatchFactory(source=made.asset, track=made), status=VideoStatus.FAILED_EDIT)
        path = keep(AUDIO, f"{made.asset.sha256}-s16le-16000-mono", **expired())
        clean_host()
        assert path.exists() == stays

    def test_it_keeps_the_edited_copy_while_the_upload_could_be_retried(self, host):
        edited = EditedAssetFactory()
        VideoFactory(status=VideoStatus.FAILED_UPLOAD, edited=edited)
        path = keep(SOURCE, edited.sha256, **expired())
        clean_host()
        assert path.exists()

    def test_it_pins_nothing_for_ever(self, host):
        video = VideoFactory(status=VideoStatus.FAILED_EDIT)
        path = keep(SOURCE, video.batch.source.sha256, **expired(used_at=timezone.now() - PIN_LIFE))
        clean_host()
        assert not path.exists()


class TestLeftBehind:
    def test_it_removes_the_folder_of_a_worker_that_was_killed(self, host):
        """The lock goes with the process, whatever the process could still do."""
        script = (
            "import sys, time, fcntl; lock = open(sys.argv[1] + '/.lock', 'wb'); fcntl.flock(lock, fcntl.LOCK_EX);"
            "print('locked', flush=True); time.sleep(60)"
        )
        folder = host / "jobs" / "render-0123abcd"
        folder.mkdir(parents=True)
        (folder / "edited.mp4.part").write_bytes(b"half")
        with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE) as worker:
            assert worker.stdout.readline() == b"locked\n"
            old(folder)
            assert clean_host() == 0
            worker.kill()
            worker.wait()
        assert clean_host() == 1
        assert not folder.exists()

    def test_it_leaves_the_folder_of_a_running_job_alone(self, host):
        with scratch("render") as folder:
            old(folder)
            assert clean_host() == 0
            assert folder.exists()
        assert not folder.exists()

    def test_it_removes_files_without_a_row(self, host):
        known = keep(SOURCE, "a" * 64)
        lost = host / "assets" / "0123.mp4"
        for path in (lost, host / "assets" / "new.mp4"):
            path.write_bytes(b"x")
        old(host / "assets")
        (host / "assets" / "new.mp4").write_bytes(b"y")
        assert clean_host() == 1
        assert all_files(host) == [host / "assets" / "new.mp4", known]


class TestBell:
    def hosts(self):
        names = ("one", "two", "three")
        return [name for name in names if [m.func_name for m in get_queue("edit", name).get_jobs()]]

    def test_it_asks_each_host_now_and_then(self, host, redis, on_host):
        keep(SOURCE, "a" * 64)
        on_host("two")
        JobFactory(host="three", started_at=timezone.now())
        with time_machine.travel(timezone.now(), tick=False) as clock:
            assert reconcile_tick()["cleaning"] == 2
            assert self.hosts() == ["one", "three"]
            assert hosts_ring() == 0
            clock.shift(CLEAN_EVERY + timedelta(seconds=1))
            assert hosts_ring() == 2

    def test_it_cleans_when_it_is_asked(self, host):
        path = keep(SOURCE, "a" * 64, **expired())
        run_cleaning(0)
        assert not path.exists()

    def test_it_forgets_the_files_of_a_host_that_never_came_back(self, host, redis):
        keep(SOURCE, "a" * 64, expires_at=timezone.now() - PIN_LIFE - timedelta(days=1))
        hosts_ring()
        assert not WorkingAsset.objects.exists()


class TestRoom:
    def test_it_says_that_the_quota_is_used_up(self, host, settings):
        settings.WORK_DIR_MAX_BYTES = 10
        with pytest.raises(StepFailed) as failure:
            keep(SOURCE, "a" * 64, b"x" * 11)
        assert (failure.value.code, failure.value.retryable) == ("disk_quota", True)
        assert all_files(host) == []

    def test_it_cleans_before_it_refuses(self, host, settings):
        settings.WORK_DIR_MAX_BYTES = 10
        path = keep(SOURCE, "a" * 64, b"x" * 8, **expired())
        assert keep(SOURCE, "b" * 64, b"x" * 8).exists()
        assert not path.exists()

    def test_it_drops_what_was_used_longest_ago_and_nothing_that_is_pinned_or_in_use(self, host, settings):
        video, hour = VideoFactory(status=VideoStatus.FAILED_EDIT), timedelta(hours=1)
        now = timezone.now()
        pinned = keep(SOURCE, video.batch.source.sha256, b"x" * 10, used_at=now - 9 * hour)
        oldest = keep(SOURCE, "a" * 64, b"x" * 10, used_at=now - 3 * hour)
        older = keep(SOURCE, "b" * 64, b"x" * 10, used_at=now - 2 * hour)
        fresh = keep(SOURCE, "c" * 64, b"x" * 10)
        settings.WORK_DIR_MAX_BYTES = 45
        make_room(10)
        assert [path.exists() for path in (pinned, oldest, older, fresh)] == [True, False, True, True]
        make_room(100)
        assert [path.exists() for path in (pinned, older, fresh)] == [True, False, True]

    def test_it_retries_a_job_that_found_no_room(self, bucket, host, connect, submit, settings, work):
        video = submit(connect()).videos.get()
        working_drop(kind=SOURCE, key=video.batch.source.sha256)
        settings.WORK_DIR_MAX_BYTES = 100
        work(rounds=1)
        assert (reload(video).status, reload(video).reason_code) == (VideoStatus.RETRYING, "disk_quota")
        assert all_files(host) == []
        settings.WORK_DIR_MAX_BYTES = 0
        work()
        assert reload(video).status == VideoStatus.POSTED

    def test_it_blames_no_file_for_a_full_disk(self, bucket, host, ingest, clip, settings):
        asset = ingest(clip)
        settings.WORK_DIR_MAX_BYTES = 100
        for _again in range(5):
            run_probe(asset.pk)
        settings.WORK_DIR_MAX_BYTES = 0
        assert asset_probe(asset=Asset.objects.get(pk=asset.pk)).status == "ready"

    @pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_quota")])
    def test_it_refuses_a_file_that_the_bucket_has_no_room_for(self, host, ingest, clip, monkeypatch, number, code):
        def full(*args):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(files, "rename_durably", full)
        with pytest.raises(IngestRefused) as refusal:
            ingest(clip)
        assert refusal.value.code == code
        assert not [path for path in Path(files.default_storage.path("")).rglob("*") if path.is_file()]


@pytest.fixture
def tiny_folder(tmp_path):
    """A real file system of 2 MB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def tiny_disk(settings, tiny_folder, monkeypatch):
    """It as the working folder, with no reserve."""
    monkeypatch.setattr(disk, "DISK_RESERVE", 0)
    settings.WORK_DIR = tiny_folder
    return tiny_folder


class TestFullDisk:
    def test_it_refuses_before_it_writes(self, tiny_disk):
        with pytest.raises(StepFailed) as failure:
            keep(SOURCE, "a" * 64, b"x" * 3 * MB)
        assert failure.value.code == "disk_full"
        assert all_files(tiny_disk) == []

    def test_it_leaves_nothing_of_a_write_that_filled_the_disk(self, tiny_disk):
        with pytest.raises(StepFailed) as failure:
            working_file(
                kind=SOURCE, key="a" * 64, suffix="", room=1, make=lambda part: part.write_bytes(b"x" * 3 * MB)
            )
        assert (failure.value.code, failure.value.retryable) == ("disk_full", True)
        assert all_files(tiny_disk) == []
        assert list((tiny_disk / "jobs").iterdir()) == []
        assert not WorkingAsset.objects.exists()

    def test_it_knows_the_full_disk_in_what_ffmpeg_says(self, tiny_disk, clip):
        def too_much(part):
            part.with_name("other").write_bytes(b"x" * 2_080_000)
            extract_audio(clip, part)

        with pytest.raises(StepFailed) as failure:
            working_file(kind=AUDIO, key="a" * 64, suffix=".wav", room=1, make=too_much)
        assert failure.value.code == "disk_full"
        assert all_files(tiny_disk) == []

    def test_it_makes_room_for_the_retry(self, tiny_disk):
        spare = keep(SOURCE, "a" * 64, b"x" * MB, used_at=timezone.now() - timedelta(hours=1))
        assert keep(SOURCE, "b" * 64, b"x" * MB + b"x" * 500_000).exists()
        assert not spare.exists()


def test_it_keeps_the_render_while_the_bucket_is_full(tiny_folder, settings, host, connect, submit, work, monkeypatch):
    """The bucket is a folder on a disk of its own: only the storing fails, and only that is repeated."""
    settings.MEDIA_ROOT = tiny_folder / "bucket"
    video = submit(connect()).videos.get()
    filler = tiny_folder / "filler"
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as sink:
        while True:
            sink.write(b"x" * 4096)
    work(rounds=1)
    assert (reload(video).status, reload(video).reason_code) == (VideoStatus.RETRYING, "disk_full")
    assert not list((tiny_folder / "bucket" / "edited").iterdir())
    assert WorkingAsset.objects.get().kind == RENDER
    filler.unlink()
    monkeypatch.setattr(edit, "render", None)
    work()
    assert reload(video).status == VideoStatus.POSTED
    assert all_files(host) == []


def test_it_takes_other_errors_of_ffmpeg_for_what_they_are(host):
    with pytest.raises(FfmpegFailed):
        working_file(
            kind=AUDIO, key="a", suffix=".wav", room=1, make=lambda part: extract_audio(Path("/dev/null"), part)
        )
    assert all_files(host) == []


def test_two_workers_of_a_host_keep_one_copy(host, bucket):
    """The second finds the row of the first, whose file may be open already."""
    asset = AssetFactory(storage_key="source/a.mp4", size=3, sha256="0" * 64)

    def slow(part):
        first.append(keep(SOURCE, "a" * 64, b"one"))
        part.write_bytes(b"two")

    first: list[Path] = []
    path = working_file(kind=SOURCE, key="a" * 64, suffix=".mp4", room=3, make=slow)
    assert path == first[0]
    assert all_files(host) == [path]
    assert Job.objects.count() == 0
    with pytest.raises(StepFailed):
        local_copy(asset)
