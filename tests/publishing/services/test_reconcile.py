"""The scheduler's second: what is due starts, what is silent is taken over, what killed three is stopped."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
import time_machine
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from publishing.models import AssetStatus, Job, Leadership, Video
from publishing.queues import LEAST, get_queue
from publishing.services import runner
from publishing.services.jobs import LEASE, job_claim
from publishing.services.reconcile import CRASHES, LEADERSHIP, TURN, is_behind, lead, reconcile_tick
from publishing.services.runner import DATABASE_PAUSE, job_run
from publishing.states import JobKind, JobStatus, VideoStatus
from tests.factories import AssetFactory, EditedAssetFactory, JobFactory, TikTokAccountFactory, VideoFactory
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db

NOW = "2026-03-01T12:00:00Z"


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def bells(redis, settings):
    """The ids of the rows that were rung for, oldest first."""
    return lambda kind="edit": [job.args[0] for job in get_queue(kind).get_jobs()]


def test_it_takes_over_a_job_whose_worker_fell_silent(clock, bells):
    job = JobFactory(video=VideoFactory(status=VideoStatus.EDITING))
    first = job_claim(job.pk, owner="dead")
    clock.shift(LEASE + timedelta(seconds=1))
    assert reconcile_tick()["taken_over"] == 1
    job.refresh_from_db()
    assert (job.status, job.crash_count, job.fence) == (JobStatus.QUEUED, 1, first.fence)
    assert bells() == [job.pk]
    assert job_claim(job.pk, owner="next").fence == first.fence + 1


def test_it_leaves_a_job_alone_whose_worker_is_alive(clock, bells):
    job = JobFactory()
    job_claim(job.pk, owner="alive")
    clock.shift(LEASE / 2)
    assert reconcile_tick()["taken_over"] == 0


@pytest.mark.parametrize(
    ("kind", "status", "ends"),
    [
        (JobKind.EDIT, VideoStatus.EDITING, VideoStatus.FAILED_EDIT),
        (JobKind.UPLOAD, VideoStatus.UPLOADING, VideoStatus.FAILED_UPLOAD),
    ],
)
def test_it_stops_a_job_that_killed_three_workers(clock, bells, kind, status, ends):
    job = JobFactory(video=VideoFactory(status=status), kind=kind)
    for _crash in range(CRASHES):
        assert job_claim(job.pk, owner="victim")
        clock.shift(LEASE + timedelta(seconds=1))
        reconcile_tick()
    job.refresh_from_db()
    assert job.status == JobStatus.ERRORED
    assert (reload(job.video).status, reload(job.video).reason_code) == (ends, "crashed")


def test_it_rings_for_a_job_whose_bell_was_lost(clock, bells):
    job = JobFactory(belled_at=None)
    reconcile_tick()
    reconcile_tick()
    assert bells() == [job.pk]
    clock.shift(timedelta(minutes=1))
    reconcile_tick()
    assert bells() == [job.pk]  # it waits in the queue: nothing is lost
    get_queue("edit").empty()
    reconcile_tick()
    assert bells() == [job.pk]


def test_it_rings_for_a_waiting_job_only_when_its_time_has_come(clock, bells):
    job = JobFactory(status=JobStatus.WAITING, run_at=timezone.now() + timedelta(minutes=5), belled_at=timezone.now())
    reconcile_tick()
    assert bells() == []
    clock.shift(timedelta(minutes=5, seconds=1))
    reconcile_tick()
    assert bells() == [job.pk]


def test_it_works_while_redis_is_gone_and_rings_afterwards(clock, settings, tmp_path, redis, redis_server):
    job = JobFactory(belled_at=None)
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    assert reconcile_tick()["rung"] == 0
    settings.REDIS_URL = redis_server
    assert reconcile_tick()["rung"] == 1
    assert Job.objects.get(pk=job.pk).belled_at == timezone.now()


def test_it_starts_a_due_video_once(clock, bells):
    video = VideoFactory(
        status=VideoStatus.SCHEDULED, scheduled_at=timezone.now() + timedelta(seconds=30), edited=EditedAssetFactory()
    )
    assert reconcile_tick()["started"] == 0
    clock.shift(timedelta(seconds=31))
    assert reconcile_tick()["started"] == 1
    assert reconcile_tick()["started"] == 0
    assert reload(video).status == VideoStatus.EDITED
    assert Job.objects.filter(video=video, kind=JobKind.UPLOAD).count() == 1


def waiting(account, count=1, **fields):
    """Uploads of `account` that nobody was rung for."""
    made = [VideoFactory(account=account, status=VideoStatus.EDITED) for _ in range(count)]
    return [JobFactory(video=video, kind=JobKind.UPLOAD, belled_at=None, **fields).pk for video in made]


def test_it_keeps_the_queue_short_and_is_behind_until_all_were_rung_for(clock, bells):
    jobs = [JobFactory(belled_at=None).pk for _ in range(LEAST + 1)]
    done = reconcile_tick()
    assert (bells(), done["rung"], is_behind(done)) == (jobs[:LEAST], LEAST, True)
    assert reconcile_tick()["rung"] == 0
    get_queue("edit").empty()
    done = reconcile_tick()
    assert (bells(), is_behind(done)) == (jobs[LEAST:], False)


def test_it_marks_all_that_it_rang_for_at_once_but_not_what_was_taken_meanwhile(clock, bells):
    """Its worker may have given it back, and must not be thought to have been rung for."""
    jobs = [JobFactory(belled_at=None).pk for _ in range(LEAST)]
    marks = []

    def take_one(execute, sql, *rest):
        if sql.startswith('UPDATE "publishing_job" SET "belled_at"'):
            marks.append(sql)
            job_claim(jobs[0], owner="quick")
        return execute(sql, *rest)

    with connection.execute_wrapper(take_one):
        assert reconcile_tick()["rung"] == LEAST

    assert len(marks) == 1
    assert bells() == jobs
    assert list(Job.objects.filter(belled_at=None).values_list("pk", flat=True)) == jobs[:1]


def test_files_that_wait_take_no_place_of_an_edit_and_are_rung_for_once(clock, bells):
    files = [AssetFactory(status=AssetStatus.PENDING).pk for _ in range(2 * LEAST)]
    reconcile_tick()
    assert sorted(bells()) == files
    clock.shift(timedelta(minutes=1))
    job = JobFactory(belled_at=None).pk
    reconcile_tick()
    assert bells()[-1] == job
    assert len(bells()) == len(files) + 1


def test_a_video_that_tiktok_looks_at_for_hours_costs_its_account_no_turn(clock, bells):
    slow, other = TikTokAccountFactory(), TikTokAccountFactory()
    JobFactory(
        video=VideoFactory(account=slow, status=VideoStatus.VERIFYING), kind=JobKind.UPLOAD, belled_at=timezone.now(),
        status=JobStatus.PROCESSING, started_at=timezone.now() - TURN * 2, run_at=timezone.now() + TURN,
    )  # fmt: skip
    (mine,), (theirs,) = waiting(slow), waiting(other)
    reconcile_tick()
    assert bells("upload") == [mine, theirs]


def test_it_rings_for_one_account_after_the_other(clock, bells):
    many, few = TikTokAccountFactory(), TikTokAccountFactory()
    first, second, third = waiting(many, 3)
    (other,) = waiting(few)
    reconcile_tick()
    assert bells("upload") == [first, other, second, third]


def test_it_starts_due_videos_of_one_account_after_the_other(clock, bells):
    many, few = TikTokAccountFactory(), TikTokAccountFactory()
    due = {"status": VideoStatus.SCHEDULED, "scheduled_at": timezone.now()}
    first, second, other = (VideoFactory(account=a, edited=EditedAssetFactory(), **due) for a in (many, many, few))
    reconcile_tick()
    jobs = Job.objects.order_by("pk").values_list("video", flat=True)
    assert list(jobs) == [first.pk, other.pk, second.pk]
    assert bells("upload") == list(Job.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize(("ago", "goes_first"), [(TURN / 2, False), (TURN * 2, True)])
def test_it_counts_as_a_turn_what_an_account_had_in_the_last_minute(clock, bells, ago, goes_first):
    served, other = TikTokAccountFactory(), TikTokAccountFactory()
    JobFactory(
        video=VideoFactory(account=served), kind=JobKind.UPLOAD, status=JobStatus.SUCCEEDED,
        finished_at=timezone.now() - ago,
    )  # fmt: skip
    (mine,), (theirs,) = waiting(served), waiting(other)
    reconcile_tick()
    assert bells("upload") == ([mine, theirs] if goes_first else [theirs, mine])


def test_it_misses_a_video_only_after_the_grace(clock, bells, settings):
    due = timezone.now()
    video = VideoFactory(status=VideoStatus.SCHEDULED, scheduled_at=due)
    JobFactory(video=video)
    clock.shift(timedelta(seconds=settings.MISSED_GRACE_SECONDS))
    reconcile_tick()
    assert reload(video).status == VideoStatus.SCHEDULED
    clock.shift(timedelta(seconds=1))
    reconcile_tick()
    assert reload(video).status == VideoStatus.MISSED
    assert Job.objects.get(video=video).status == JobStatus.CANCELLED


def test_it_leads_alone_and_loses_the_lead_by_silence(clock, bells):
    Leadership.objects.create(name="reconciler", owner="other", until=timezone.now() + LEADERSHIP)
    assert not lead("reconciler")
    assert reconcile_tick() == {}
    clock.shift(LEADERSHIP + timedelta(seconds=1))
    assert lead("reconciler")
    assert Leadership.objects.get().owner != "other"


@pytest.mark.parametrize("error", [OperationalError("database is locked"), InterfaceError("connection is closed")])
def test_it_gives_a_job_back_when_the_database_went_away(clock, bells, monkeypatch, error):
    job = JobFactory(video=VideoFactory(status=VideoStatus.EDITING))
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's transaction lives in it
    monkeypatch.setattr(runner, "edit_run", Mock(side_effect=error))
    job_run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.traceback, job.crash_count, job.attempt) == (JobStatus.QUEUED, "", 0, 1)
    assert reconcile_tick()["rung"] == 0
    clock.shift(DATABASE_PAUSE)
    assert reconcile_tick()["rung"] == 1


def test_it_has_a_job_taken_over_whose_database_stays_away(clock, bells, monkeypatch):
    job = JobFactory(video=VideoFactory(status=VideoStatus.EDITING))
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(runner, "edit_run", Mock(side_effect=OperationalError))
    monkeypatch.setattr(runner, "job_move", Mock(side_effect=OperationalError))
    job_run(job.pk)
    clock.shift(LEASE + timedelta(seconds=1))
    assert reconcile_tick()["taken_over"] == 1


def test_it_keeps_the_traceback_of_a_bug_and_shows_the_video_red(clock, bells):
    video = VideoFactory(status=VideoStatus.PENDING)
    video.batch.source.probe = {"broken": True}
    video.batch.source.save(update_fields=["probe"])
    job = JobFactory(video=video)
    job_run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.ERRORED
    assert "KeyError" in job.traceback
    assert Video.objects.get(pk=video.pk).reason_code == "bug"
