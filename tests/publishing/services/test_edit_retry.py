"""A retry of an edit: what is done stays done, and the bucket is not asked for what this host has."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from publishing.editing.ffmpeg import FfmpegFailed
from publishing.errors import StepFailed
from publishing.models import Job, Render, SubtitleTrack, TrackStatus, Video, WorkingAsset, WorkingKind
from publishing.queues import get_queue
from publishing.services import edit, tracks
from publishing.services.files import local_copy
from publishing.services.ingest import asset_probe
from publishing.services.jobs import LEASE, job_claim, job_release
from publishing.services.reconcile import HOST_PATIENCE, reconcile_tick
from publishing.services.runner import job_run
from publishing.services.tracks import track_make, track_request
from publishing.services.videos import video_retry
from publishing.states import JobKind, JobStatus, SubtitleChoice, VideoStatus
from publishing.tasks import run_track
from tests.factories import JobFactory, VideoFactory
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db


@pytest.fixture
def steps(monkeypatch):
    """How often the expensive steps ran; `fail` lists those that break (as ffmpeg would) when they are reached."""

    class Steps(dict):
        fail: set = set()

    ran = Steps(render=0, extract_audio=0)

    def counted(name, real, *args, **kwargs):
        ran[name] += 1
        if name in ran.fail:
            raise FfmpegFailed(1, "Conversion failed!")
        return real(*args, **kwargs)

    monkeypatch.setattr(edit, "render", partial(counted, "render", edit.render))
    monkeypatch.setattr(tracks, "extract_audio", partial(counted, "extract_audio", tracks.extract_audio))
    return ran


@pytest.fixture
def submitted(bucket, on_host, redis, connect, submit):
    """A video of one account, not edited yet; the bucket's reads are counted from here."""

    def submitted(**fields):
        video = submit(connect(), **fields).videos.get()
        bucket.reads.clear()
        return video

    return submitted


@pytest.fixture
def failed(submitted, steps, work):
    """A video whose edit has failed for good: the source is here, nothing is rendered."""
    steps.fail = {"render"}
    video = submitted()
    work()
    assert reload(video).status == VideoStatus.FAILED_EDIT
    steps.fail = set()
    return reload(video)


@pytest.fixture
def unstored(submitted, steps, bucket, work):
    """A video that was rendered, and could not be stored."""
    video = submitted()
    bucket.broken = True
    work()
    assert (reload(video).status, reload(video).reason_code) == (VideoStatus.FAILED_EDIT, "store_failed")
    bucket.broken = False
    return reload(video)


def kept(kind, **fields):
    return WorkingAsset.objects.get(kind=kind, **fields)


def rung(host=""):
    return [message.args[0] for message in get_queue("edit", host).get_jobs() if message.func_name.endswith("run_job")]


def edit_job(video):
    return Job.objects.filter(video=video, kind=JobKind.EDIT).latest("pk")


def edit_now(video):
    job = edit_job(video)
    Job.objects.filter(pk=job.pk).update(run_at=timezone.now())
    job_run(job.pk)
    return reload(video)


def test_it_reads_nothing_from_the_bucket_when_a_failed_edit_is_retried(failed, bucket, steps):
    assert steps["render"] == 3
    bucket.reads.clear()
    video_retry(video=failed, actor=None)
    assert edit_now(failed).status == VideoStatus.EDITED
    assert (bucket.reads, steps["render"]) == ([], 4)


def test_it_reads_the_source_once_in_all_attempts(submitted, bucket, steps, work):
    steps.fail = {"render"}
    WorkingAsset.objects.all().delete()
    video = submitted()
    WorkingAsset.objects.all().delete()
    work()
    assert bucket.reads == [video.batch.source.storage_key]


def test_it_stores_a_finished_render_without_rendering_again(unstored, bucket, steps):
    assert steps["render"] == 1
    bucket.reads.clear()
    video_retry(video=unstored, actor=None)
    video = edit_now(unstored)
    assert (video.status, bucket.reads, steps["render"]) == (VideoStatus.EDITED, [], 1)
    assert bucket.files[video.edited.storage_key]


def test_it_uploads_what_it_has_just_edited_without_reading_it_back(submitted, bucket, work):
    video = submitted()
    work()
    assert reload(video).status == VideoStatus.POSTED
    assert bucket.reads == []
    assert not WorkingAsset.objects.filter(kind=WorkingKind.RENDER).exists()


def test_it_needs_no_source_for_a_render_that_is_kept(unstored, bucket, steps):
    source = kept(WorkingKind.SOURCE)
    source.file.unlink()
    source.delete()
    bucket.reads.clear()
    video_retry(video=unstored, actor=None)
    assert edit_now(unstored).status == VideoStatus.EDITED
    assert (bucket.reads, steps["render"]) == ([], 1)


def test_it_goes_on_with_the_render_of_a_worker_that_died(submitted, bucket, steps, monkeypatch, on_host):
    class Killed(BaseException):
        pass

    def dies(*args, **kwargs):
        raise Killed

    video = submitted()
    with time_machine.travel(timezone.now(), tick=True) as clock:
        with monkeypatch.context() as patch:
            patch.setattr(edit, "_store", dies)
            with pytest.raises(Killed):
                edit_now(video)
        clock.shift(LEASE + timedelta(seconds=1))
        bucket.reads.clear()
        reconcile_tick()
        assert (edit_job(video).prefer_host, rung("one")[-1]) == ("one", edit_job(video).pk)
        assert edit_now(video).status == VideoStatus.EDITED
    assert (bucket.reads, steps["render"]) == ([], 1)


@pytest.mark.parametrize("kind", [WorkingKind.SOURCE, WorkingKind.RENDER])
@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_it_believes_no_damaged_file(unstored, bucket, steps, kind, damage):
    """The render is made again from the source; a source is fetched again when there is something to render."""
    if kind == WorkingKind.SOURCE:
        kept(WorkingKind.RENDER).file.unlink()
    file = kept(kind).file
    match damage:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(file.read_bytes()[:-1])
        case "changed":
            file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    bucket.reads.clear()
    video_retry(video=unstored, actor=None)
    assert edit_now(unstored).status == VideoStatus.EDITED
    assert steps["render"] == 2
    source = unstored.batch.source
    assert bucket.reads == ([source.storage_key] if kind == WorkingKind.SOURCE else [])
    assert kept(WorkingKind.SOURCE, key=source.sha256).file.read_bytes() == bucket.files[source.storage_key]


def test_it_edits_again_what_the_bucket_lost(unstored, bucket, work):
    video_retry(video=unstored, actor=None)
    video = edit_now(unstored)
    bucket.delete(video.edited.storage_key)
    work()
    assert reload(video).reason_code == "edited_missing"
    video_retry(video=reload(video), actor=None)
    work()
    assert reload(video).status == VideoStatus.POSTED


class TestSubtitles:
    @pytest.fixture
    def source(self, bucket, on_host, ingest, clip):
        return asset_probe(asset=ingest(clip))

    @pytest.fixture
    def deaf(self, monkeypatch):
        """An engine that breaks while this is on."""
        broken = {"on": True}
        real = tracks.best_engine

        class Engine:
            name = "deaf"

            def cues(self, wav, **kwargs):
                raise FfmpegFailed(1, "no")

        monkeypatch.setattr(tracks, "best_engine", lambda *args: Engine() if broken["on"] else real(*args))
        return broken

    def test_it_takes_the_sound_out_once(self, cm, source, submitted, steps, bucket, deaf, work):
        track = track_request(asset=source, language="es", script="Hola", user=cm)
        video = submitted(source=source, subtitles=SubtitleChoice.AUTO, track=track)
        work()
        assert (reload(video).reason_code, steps["extract_audio"]) == ("subtitles_failed", 1)
        deaf["on"] = False
        bucket.reads.clear()
        video_retry(video=reload(video), actor=None)
        assert edit_now(video).status == VideoStatus.EDITED
        assert (bucket.reads, steps["extract_audio"]) == ([], 1)

    def test_it_takes_the_same_sound_for_another_script(self, cm, source, steps, bucket):
        for script in ("Hola", "Hola, mañana"):
            track_make(track_request(asset=source, language="es", script=script, user=cm).pk)
        assert steps["extract_audio"] == 1
        assert SubtitleTrack.objects.filter(status=TrackStatus.READY).count() == 2

    def test_it_makes_no_subtitles_twice(self, cm, source, submitted, steps, bucket, work, deaf):
        deaf["on"] = False
        track = track_request(asset=source, language="es", script="Hola", user=cm)
        steps.fail = {"render"}
        video = submitted(source=source, subtitles=SubtitleChoice.AUTO, track=track)
        work()
        assert reload(video).reason_code == "edit_failed"
        deaf["on"] = True
        steps.fail = set()
        bucket.reads.clear()
        video_retry(video=reload(video), actor=None)
        assert edit_now(video).status == VideoStatus.EDITED
        assert (bucket.reads, steps["extract_audio"]) == ([], 1)

    def test_it_leaves_a_track_waiting_when_the_disk_has_no_room(self, cm, source, settings):
        track = track_request(asset=source, language="es", script="Hola", user=cm)
        settings.WORK_DIR_MAX_BYTES = 1
        WorkingAsset.objects.all().delete()
        for _attempt in range(2):
            run_track(track.pk)
            track.refresh_from_db()
            assert track.status == TrackStatus.PENDING
        run_track(track.pk)
        track.refresh_from_db()
        assert (track.status, track.reason_code) == (TrackStatus.FAILED, "disk_quota")


class TestHosts:
    @pytest.fixture
    def retry(self, redis, django_capture_on_commit_callbacks):
        """Press the button; no bell from before is left."""

        def retry(video):
            redis.flushall()
            with django_capture_on_commit_callbacks(execute=True):
                video_retry(video=video, actor=None)

        return retry

    def test_it_rings_on_the_host_that_has_the_files(self, failed, retry):
        retry(failed)
        assert (rung("one"), rung()) == ([edit_job(failed).pk], [])

    def test_it_prefers_a_finished_render_to_a_newer_copy(self, unstored):
        now = timezone.now()
        source = kept(WorkingKind.SOURCE)
        other = VideoFactory(batch=unstored.batch, status=VideoStatus.POSTED, posted_at=now)
        JobFactory(video=other, status=JobStatus.SUCCEEDED, host="two")
        WorkingAsset.objects.create(
            kind=WorkingKind.SOURCE, key=source.key, host="two", path="/p", size=1, used_at=now,
            expires_at=now + timedelta(days=9),
        )  # fmt: skip
        video_retry(video=unstored, actor=None)
        assert edit_job(unstored).prefer_host == "one"

    def test_it_prefers_no_host_that_only_shows_the_file(self, failed):
        WorkingAsset.objects.update(host="web")
        video_retry(video=failed, actor=None)
        assert edit_job(failed).prefer_host == ""

    def test_it_prefers_no_host_whose_files_have_expired(self, failed, retry):
        WorkingAsset.objects.update(expires_at=timezone.now())
        retry(failed)
        assert (edit_job(failed).prefer_host, rung()) == ("", [edit_job(failed).pk])

    def test_it_goes_to_any_host_with_a_fresh_download_when_that_one_is_gone(self, failed, bucket, retry, on_host):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            retry(failed)
            reconcile_tick()
            assert rung() == []
            clock.shift(HOST_PATIENCE + timedelta(seconds=1))
            assert reconcile_tick()["let_go"] == 1
            assert (edit_job(failed).prefer_host, rung()) == ("", [edit_job(failed).pk])
            on_host("two")
            bucket.reads.clear()
            assert edit_now(failed).status == VideoStatus.EDITED
        assert bucket.reads == [failed.batch.source.storage_key]
        assert set(WorkingAsset.objects.values_list("host", flat=True)) == {"one", "two"}

    def test_it_retries_by_itself_on_the_same_host(self, submitted, steps, redis):
        steps.fail = {"render"}
        video = submitted()
        with time_machine.travel(timezone.now(), tick=False) as clock:
            assert edit_now(video).status == VideoStatus.RETRYING
            job = edit_job(video)
            assert (job.status, job.prefer_host) == (JobStatus.WAITING, "one")
            redis.flushall()
            clock.move_to(job.run_at + timedelta(seconds=1))
            assert reconcile_tick()["let_go"] == 0
            assert (rung("one"), rung()) == ([job.pk], [])

    def test_it_goes_on_where_its_worker_was_restarted(self, submitted, redis, django_capture_on_commit_callbacks):
        job = edit_job(submitted())
        redis.flushall()
        with django_capture_on_commit_callbacks(execute=True):
            job_release(job_claim(job.pk, owner="one:1"))
        assert rung("one") == [job.pk]

    def test_it_never_takes_a_job_from_a_worker_that_has_it(self, failed, redis):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            video_retry(video=failed, actor=None)
            job_claim(edit_job(failed).pk, owner="one:1")
            clock.shift(HOST_PATIENCE + timedelta(seconds=1))
            assert reconcile_tick()["let_go"] == 0
            assert edit_job(failed).prefer_host == "one"


def test_it_keeps_no_copies_of_a_bucket_that_is_a_folder(on_host, connect, submit, work):
    folder = on_host("one")
    video = submit(connect()).videos.get()
    work()
    assert reload(video).status == VideoStatus.POSTED
    assert not WorkingAsset.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_it_shares_a_render_between_accounts_after_a_retry(bucket, on_host, redis, connect, submit, steps, work):
    batch = submit(connect("a1"), connect("b1"))
    bucket.broken = True
    work()
    bucket.broken = False
    for video in Video.objects.filter(batch=batch, status=VideoStatus.FAILED_EDIT):
        video_retry(video=video, actor=None)
    work()
    assert set(Video.objects.filter(batch=batch).values_list("status", flat=True)) == {VideoStatus.POSTED}
    assert (steps["render"], Render.objects.count()) == (1, 1)


def test_it_does_the_same_with_s3(s3_bucket, on_host, redis, connect, submit, steps, work, tmp_path):
    """The reads are counted by the client of S3 itself."""
    reads = []
    steps.fail = {"render"}
    batch = submit(connect(), source=None)
    default_storage.connection.meta.client.meta.events.register(
        "before-call.s3.GetObject", lambda params, **kwargs: reads.append(params["url_path"])
    )
    work()
    video = reload(batch.videos.get())
    assert video.status == VideoStatus.FAILED_EDIT
    steps.fail = set()
    reads.clear()
    video_retry(video=video, actor=None)
    work()
    assert reload(video).status == VideoStatus.POSTED
    assert reads == []


def test_it_keeps_no_copy_that_is_not_what_was_stored(bucket, on_host, ingest, clip):
    asset = ingest(clip)
    bucket.files[asset.storage_key] = bucket.files[asset.storage_key][:-1] + b"\0"
    with pytest.raises(StepFailed) as failure:
        local_copy(asset)
    assert (failure.value.code, failure.value.retryable) == ("source_missing", True)
    assert not WorkingAsset.objects.exists()
    assert not list((on_host("one") / "jobs").iterdir())
